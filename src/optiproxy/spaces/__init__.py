"""Search spaces: decisions, their differentiable graph encoding, validity and canonical form.

Read `decisions`, `scales` and `space` (the contracts), then `flat`, the simplest space, and `wrapper`, `restricted`, `fixed`, `pool` and
`gridded`, which change another one; after them `published`, the spaces of benchmarks, and `building`, in which users'
functions become spaces.
"""

from optiproxy.graph import GraphBatch as GraphBatch
from optiproxy.spaces.building.from_libraries import space_from_configspace, space_of
from optiproxy.spaces.building.model import ModelSpace as ModelSpace
from optiproxy.spaces.decisions import Architecture as Architecture
from optiproxy.spaces.decisions import Choice as Choice
from optiproxy.spaces.decisions import Decision as Decision
from optiproxy.spaces.flat import FlatSpace as FlatSpace
from optiproxy.spaces.gridded import GriddedSpace as GriddedSpace
from optiproxy.spaces.narrowed import NarrowedSpace as NarrowedSpace
from optiproxy.spaces.pool import PoolSpace as PoolSpace
from optiproxy.spaces.published.darts import DARTS as DARTS
from optiproxy.spaces.published.nasbench201 import NASBench201 as NASBench201
from optiproxy.spaces.ranges import Float as Float
from optiproxy.spaces.ranges import Int as Int
from optiproxy.spaces.restricted import RestrictedSpace as RestrictedSpace
from optiproxy.spaces.restricted import where
from optiproxy.spaces.scales import Ordered as Ordered
from optiproxy.spaces.space import Space as Space
from optiproxy.spaces.space import plain_fingerprint as plain_fingerprint
from optiproxy.spaces.wrapper import DistinctSpace as DistinctSpace
from optiproxy.spaces.wrapper import SpaceWrapper as SpaceWrapper

# The names that users know these functions by. They are given here, where every kind of space is known: the contract
# cannot name its own implementations without importing what imports it.
Space.from_model = ModelSpace
Space.from_optuna = staticmethod(space_of)
Space.from_configspace = staticmethod(space_from_configspace)
Space.where = where
