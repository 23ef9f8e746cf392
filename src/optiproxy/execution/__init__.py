"""Where evaluations run: one call of a task, in this process or in workers that may crash, hang and be killed.

Read `evaluation` first, which needs no executor, then `executors`; `interrupts` keeps signals from tearing records apart.
"""
