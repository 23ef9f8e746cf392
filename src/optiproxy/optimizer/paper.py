"""OptiProxy-NAS as published (Lyu, Cui, Shi and Li 2025, arXiv 2509.05656): the same product with other parts."""

from __future__ import annotations

from typing import Any

from optiproxy.metrics import Goal
from optiproxy.optimizer.acquisition import PredictedSum
from optiproxy.optimizer.ascent import Ascent, GumbelSoftmax
from optiproxy.optimizer.optiproxy import OptiProxy
from optiproxy.optimizer.schedule import Batches
from optiproxy.optimizer.selection import SampledSelection
from optiproxy.optimizer.starts import LatinHypercube, RandomDesign
from optiproxy.proxy import GraphConvolution
from optiproxy.proxy.targets import Normalization, Standard
from optiproxy.spaces import Space


def published(space: Space, goal: Goal, *, seed: int, **parts: Any) -> OptiProxy:  # noqa: ANN401 - those of `OptiProxy`
    """The paper's configuration; where its settings differ from task to task, one for all.

    The graph convolutional proxy has one output per metric, is trained by squared error plus a ranking loss, and kept
    warm from round to round. The architecture parameters start in a Latin hypercube, climb the proxy under Gumbel-softmax
    noise while the temperature falls from 0.7 to 0.2, and persist. Then each set draws architectures, and the best by the
    proxy's prediction are evaluated. A search that was interrupted repeats its rounds, because what persists depends on
    all of them.

    Differences: the leaks of the released code are closed (targets are standardised by the finished trials, nothing is
    known of a candidate before it is evaluated, the search does not end at a known optimum), no network is evaluated
    twice, and edges that a space decides on are relaxed like its other decisions, all at once: a sigmoid equals a softmax
    over two choices.

    Args:
        space: Where to search.
        goal: What to improve; the sum of the standardised objectives and of the slack of each limit is climbed.
        seed: Names all streams of random numbers.
        parts: Other parts than the published ones.
    """
    paper: dict[str, Any] = {
        "initial": RandomDesign(size=10),
        "proxy": GraphConvolution(),
        "normalization": Normalization(objectives=Standard.fit, limits=Standard.fit, failures=False),
        "starts": LatinHypercube(count=10),
        "ascent": Ascent(steps=100, learning_rate=0.1, relaxation=GumbelSoftmax(noise=1.0)),
        "acquisition": PredictedSum(tolerance=0.3),
        "selection": SampledSelection(batch=100),
        "schedule": Batches(initial=10, size=10),  # the paper queries 5 or 10 in a round
    }
    return OptiProxy(space, goal, seed=seed, **{**paper, **parts})
