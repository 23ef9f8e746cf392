"""Published benchmarks as tasks that answer from a table or a surrogate.

Read `tasks` first; `store` finds and verifies the data, `convert` makes it from what was published, with the readers of
`formats`.
"""

from optiproxy.tables.tasks.nasbench201 import nasbench201_task as nasbench201_task
from optiproxy.tables.tasks.table import TableTask as TableTask
