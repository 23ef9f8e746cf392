"""Neural architecture search in few trainings, with a learned differentiable proxy.

Importing the package is light: torch, Optuna and the rest load at first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optiproxy.lazy import exported
from optiproxy.renamed import install

if TYPE_CHECKING:
    from optiproxy.errors import DataError as DataError
    from optiproxy.errors import OptiProxyError as OptiProxyError
    from optiproxy.errors import SearchFailed as SearchFailed
    from optiproxy.errors import StudyError as StudyError
    from optiproxy.errors import UsageError as UsageError
    from optiproxy.execution.on_dask import DaskExecutor as DaskExecutor
    from optiproxy.execution.on_ray import RayExecutor as RayExecutor
    from optiproxy.metrics import Goal as Goal
    from optiproxy.metrics import Limit as Limit
    from optiproxy.metrics import Metric as Metric
    from optiproxy.metrics import Objective as Objective
    from optiproxy.optimizer.optiproxy import OptiProxy as OptiProxy
    from optiproxy.reporting.search.gallery import figures as figures
    from optiproxy.sampler import OptiProxySampler as OptiProxySampler
    from optiproxy.searching.pruning import LeadersPruner as LeadersPruner
    from optiproxy.searching.search import search as search
    from optiproxy.spaces.flat import FlatSpace as FlatSpace
    from optiproxy.spaces.pool import PoolSpace as PoolSpace
    from optiproxy.spaces.published.nasbench201 import NASBench201 as NASBench201
    from optiproxy.spaces.ranges import Float as Float
    from optiproxy.spaces.ranges import Int as Int
    from optiproxy.spaces.scales import Ordered as Ordered
    from optiproxy.spaces.space import Space as Space
    from optiproxy.task.quiet import quiet as quiet
    from optiproxy.task.task import Task as Task
    from optiproxy.task.training_trial import TrainingTrial as TrainingTrial
    from optiproxy.training.costs import Costs as Costs
    from optiproxy.training.costs import DeviceRunner as DeviceRunner
    from optiproxy.training.export.network_files import export_network as export_network
    from optiproxy.training.repeating import Repeated as Repeated

__version__ = "0.1.0"

_HOME = {
    "Costs": "optiproxy.training.costs",
    "DaskExecutor": "optiproxy.execution.on_dask",
    "DataError": "optiproxy.errors",
    "DeviceRunner": "optiproxy.training.costs",
    "FlatSpace": "optiproxy.spaces.flat",
    "Float": "optiproxy.spaces.ranges",
    "Goal": "optiproxy.metrics",
    "Int": "optiproxy.spaces.ranges",
    "LeadersPruner": "optiproxy.searching.pruning",
    "Limit": "optiproxy.metrics",
    "Metric": "optiproxy.metrics",
    "NASBench201": "optiproxy.spaces.published.nasbench201",
    "Objective": "optiproxy.metrics",
    "OptiProxy": "optiproxy.optimizer.optiproxy",
    "OptiProxyError": "optiproxy.errors",
    "OptiProxySampler": "optiproxy.sampler",
    "Ordered": "optiproxy.spaces.scales",
    "PoolSpace": "optiproxy.spaces.pool",
    "RayExecutor": "optiproxy.execution.on_ray",
    "Repeated": "optiproxy.training.repeating",
    "SearchFailed": "optiproxy.errors",
    "Space": "optiproxy.spaces.space",
    "StudyError": "optiproxy.errors",
    "Task": "optiproxy.task.task",
    "TrainingTrial": "optiproxy.task.training_trial",
    "UsageError": "optiproxy.errors",
    "export_network": "optiproxy.training.export.network_files",
    "figures": "optiproxy.reporting.search.gallery",
    "quiet": "optiproxy.task.quiet",
    "search": "optiproxy.searching.search",
}
"""Public name -> the module that defines it."""

__all__ = [
    "Costs",
    "DaskExecutor",
    "DataError",
    "DeviceRunner",
    "FlatSpace",
    "Float",
    "Goal",
    "Int",
    "LeadersPruner",
    "Limit",
    "Metric",
    "NASBench201",
    "Objective",
    "OptiProxy",
    "OptiProxyError",
    "OptiProxySampler",
    "Ordered",
    "PoolSpace",
    "RayExecutor",
    "Repeated",
    "SearchFailed",
    "Space",
    "StudyError",
    "Task",
    "TrainingTrial",
    "UsageError",
    "__version__",
    "export_network",
    "figures",
    "quiet",
    "search",
]


__getattr__ = exported(__name__, _HOME)
install()


def __dir__() -> list[str]:
    return sorted(__all__)
