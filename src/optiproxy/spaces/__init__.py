"""Search spaces: decisions, their differentiable graph encoding, validity and canonical form."""

from optiproxy.graph import GraphBatch as GraphBatch
from optiproxy.spaces.flat import FlatSpace as FlatSpace
from optiproxy.spaces.published.darts import DARTS as DARTS
from optiproxy.spaces.published.nasbench201 import NASBench201 as NASBench201
from optiproxy.spaces.space import Architecture as Architecture
from optiproxy.spaces.space import Choice as Choice
from optiproxy.spaces.space import Decision as Decision
from optiproxy.spaces.space import Space as Space
from optiproxy.spaces.wrappers.distinct import DistinctSpace as DistinctSpace
from optiproxy.spaces.wrappers.restricted import RestrictedSpace as RestrictedSpace
