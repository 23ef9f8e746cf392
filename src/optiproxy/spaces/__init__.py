"""Search spaces: decisions, their differentiable graph encoding, validity and canonical form."""

from optiproxy.spaces.darts import DARTS as DARTS
from optiproxy.spaces.distinct import DistinctSpace as DistinctSpace
from optiproxy.spaces.flat import FlatSpace as FlatSpace
from optiproxy.spaces.graph import GraphBatch as GraphBatch
from optiproxy.spaces.nasbench201 import NASBench201 as NASBench201
from optiproxy.spaces.restricted import RestrictedSpace as RestrictedSpace
from optiproxy.spaces.space import Architecture as Architecture
from optiproxy.spaces.space import Choice as Choice
from optiproxy.spaces.space import Decision as Decision
from optiproxy.spaces.space import Space as Space
