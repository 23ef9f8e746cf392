"""Where evaluations run: one call of a task, in this process or in workers that may crash, hang and be killed.

Read `evaluation` first, which needs no executor, then `executors`
(and `devices`, of which each worker has its own); `interrupts` keeps signals from tearing records apart.
"""
