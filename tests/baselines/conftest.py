"""The baselines with parts small enough for tests, which also begin to learn after few trials."""

from __future__ import annotations

from functools import partial

import pytest

from optiproxy.baselines.local_search import LocalSearch
from optiproxy.baselines.predictor_based.bananas import Bananas, BananasConfig
from optiproxy.baselines.predictor_based.bonas import Bonas, BonasConfig
from optiproxy.baselines.predictor_based.nas_bowl import NasBowl, NasBowlConfig
from optiproxy.baselines.predictor_based.neural_predictor import Doubling, NeuralPredictor, NeuralPredictorConfig
from optiproxy.baselines.predictor_based.npenas import Npenas, NpenasConfig
from optiproxy.baselines.predictor_based.seminas import SemiNas, SemiNasConfig
from optiproxy.baselines.predictor_based.weaknas import WeakNas, WeakNasConfig
from optiproxy.baselines.reinforce import Reinforce
from optiproxy.optimizer.ascent import Ascent
from optiproxy.optimizer.paper import published
from optiproxy.optimizer.schedule import Batches
from optiproxy.optimizer.selection import SampledSelection
from optiproxy.optimizer.starts import LatinHypercube, RandomDesign
from optiproxy.proxy import GraphConvolution
from optiproxy.proxy.networks import Training

SHORT = Training(epochs=12, batch=32, learning_rate=0.02)
EARLY = Batches(4, 4)

LEARNERS = {
    "bananas": partial(Bananas, config=BananasConfig(schedule=EARLY, members=3, layers=2, training=SHORT)),
    "bonas": partial(Bonas, config=BonasConfig(schedule=EARLY, layers=2, width=16, training=SHORT, children=40)),
    "nas-bowl": partial(NasBowl, config=NasBowlConfig(schedule=EARLY)),
    "neural-predictor": partial(
        NeuralPredictor,
        config=NeuralPredictorConfig(
            schedule=Doubling(4), layers=2, width=16, hidden=16, training=SHORT, candidates=100
        ),
    ),
    "npenas": partial(Npenas, config=NpenasConfig(schedule=EARLY, layers=2, width=16, training=SHORT)),
    "optiproxy-published": partial(
        published,
        initial=RandomDesign(size=4),
        proxy=GraphConvolution(width=16, training=SHORT),
        starts=LatinHypercube(count=4),
        ascent=Ascent(steps=6, learning_rate=0.5),
        selection=SampledSelection(batch=40),
        schedule=EARLY,
    ),
    "seminas": partial(
        SemiNas,
        config=SemiNasConfig(
            schedule=EARLY,
            layers=1,
            width=16,
            first=SHORT,
            second=Training(epochs=2, batch=100, learning_rate=0.01),
            unlabeled=40,
            seeds=20,
            steps=5,
        ),
    ),
    "weaknas": partial(WeakNas, config=WeakNasConfig(schedule=EARLY, layers=2, width=32, training=SHORT, top=10)),
}
"""Those that fit a predictor in rounds."""

OTHERS = {"local-search": LocalSearch, "reinforce": Reinforce}


@pytest.fixture(params=[*LEARNERS, *OTHERS])
def baseline(request):
    """Each baseline in turn."""
    return (LEARNERS | OTHERS)[request.param]


@pytest.fixture(params=LEARNERS)
def learner(request):
    """Each baseline in turn that fits a predictor."""
    return LEARNERS[request.param]
