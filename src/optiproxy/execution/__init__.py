"""Where evaluations run: one call of a task, in this process or in workers that may crash, hang and be killed.

Read `evaluation` first, then `executors`.
"""
