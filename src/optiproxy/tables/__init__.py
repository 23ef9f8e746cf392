"""Published benchmarks as tasks whose trainings have been done and tabulated, or are predicted by a surrogate.

Read `table` first; each of the others is one benchmark, `nasbench201_sources` where the values of NAS-Bench-201 come from.
`store` finds, verifies and reads data files, and `convert` makes them from what was published. In shapes, ``n`` counts the
rows of a table: trials that its authors ran.
"""

from optiproxy.tables.nasbench201 import nasbench201_task as nasbench201_task
from optiproxy.tables.table import TableTask as TableTask
