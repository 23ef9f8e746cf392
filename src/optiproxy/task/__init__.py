"""What is searched: the `Task` contract, a user's function as a task, and what is known before a query.

Read `task` first, then `function`, `protocol` and `free_metrics`.
"""

from optiproxy.task.task import Source as Source
from optiproxy.task.task import Task as Task
