"""Search algorithms' contract, and OptiProxy with the parts that it is a product of.

Read `algorithm` first, then `optiproxy`, and `parts` for what each part promises; `paper` is the published product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optiproxy.lazy import exported
from optiproxy.optimizer.algorithm import Algorithm as Algorithm
from optiproxy.optimizer.algorithm import AlgorithmFactory as AlgorithmFactory
from optiproxy.optimizer.algorithm import Proposal as Proposal
from optiproxy.optimizer.algorithm import Trial as Trial

if TYPE_CHECKING:
    from optiproxy.optimizer.acquisition import HypervolumeImprovement as HypervolumeImprovement
    from optiproxy.optimizer.acquisition import PredictedSum as PredictedSum
    from optiproxy.optimizer.acquisition import UpperConfidenceBound as UpperConfidenceBound
    from optiproxy.optimizer.ascent import Ascent as Ascent
    from optiproxy.optimizer.ascent import GumbelSoftmax as GumbelSoftmax
    from optiproxy.optimizer.optiproxy import OptiProxy as OptiProxy
    from optiproxy.optimizer.paper import published as published
    from optiproxy.optimizer.schedule import Batches as Batches
    from optiproxy.optimizer.schedule import EveryTrial as EveryTrial
    from optiproxy.optimizer.selection import LocalSelection as LocalSelection
    from optiproxy.optimizer.selection import SampledSelection as SampledSelection
    from optiproxy.optimizer.starts import LatinHypercube as LatinHypercube
    from optiproxy.optimizer.starts import MaximinDesign as MaximinDesign
    from optiproxy.optimizer.starts import NearIncumbents as NearIncumbents
    from optiproxy.optimizer.starts import RandomDesign as RandomDesign
    from optiproxy.proxy.convolution import GraphConvolution as GraphConvolution
    from optiproxy.proxy.structural import StructuralProxy as StructuralProxy
    from optiproxy.proxy.targets import Normalization as Normalization

__getattr__ = exported(
    __name__,
    {
        "Ascent": "optiproxy.optimizer.ascent",
        "Batches": "optiproxy.optimizer.schedule",
        "EveryTrial": "optiproxy.optimizer.schedule",
        "GraphConvolution": "optiproxy.proxy.convolution",
        "GumbelSoftmax": "optiproxy.optimizer.ascent",
        "HypervolumeImprovement": "optiproxy.optimizer.acquisition",
        "LatinHypercube": "optiproxy.optimizer.starts",
        "LocalSelection": "optiproxy.optimizer.selection",
        "MaximinDesign": "optiproxy.optimizer.starts",
        "NearIncumbents": "optiproxy.optimizer.starts",
        "Normalization": "optiproxy.proxy.targets",
        "OptiProxy": "optiproxy.optimizer.optiproxy",
        "PredictedSum": "optiproxy.optimizer.acquisition",
        "RandomDesign": "optiproxy.optimizer.starts",
        "SampledSelection": "optiproxy.optimizer.selection",
        "StructuralProxy": "optiproxy.proxy.structural",
        "UpperConfidenceBound": "optiproxy.optimizer.acquisition",
        "published": "optiproxy.optimizer.paper",
    },
)
