"""Published benchmarks: tasks whose trainings have been done and tabulated."""

from optiproxy.benchmarks.nasbench201 import nasbench201_task as nasbench201_task
from optiproxy.benchmarks.table import TableTask as TableTask
