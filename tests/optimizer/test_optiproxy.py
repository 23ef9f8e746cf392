"""What distinguishes OptiProxy from a conforming algorithm: that it learns. Conformance is tested with the suite."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from optiproxy.baselines import RandomSearch
from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.optimizer import Trial
from optiproxy.optimizer.acquisition import HypervolumeImprovement, UpperConfidenceBound
from optiproxy.optimizer.ascent import Ascent
from optiproxy.optimizer.optiproxy import OptiProxy
from optiproxy.optimizer.paper import published
from optiproxy.optimizer.schedule import Batches, EveryTrial
from optiproxy.optimizer.selection import LocalSelection
from optiproxy.optimizer.starts import MaximinDesign, NearIncumbents, RandomDesign
from optiproxy.proxy import GraphConvolution, StructuralProxy
from optiproxy.proxy.encoder import EnsembleConfig, PretrainingConfig
from optiproxy.proxy.targets import Normalization, Standard
from optiproxy.spaces import FlatSpace, Float, NASBench201, RestrictedSpace

SPACE = FlatSpace({f"layer{d}": [*range(4)] for d in range(8)})
SCORE = Goal((Objective("score"),))


def measure(architecture):
    """Separable: each decision adds to the score what its choice is worth, and costs as many as its position."""
    worth = np.random.default_rng(0).normal(size=(8, 4))
    return {
        "score": float(worth[np.arange(8), architecture].sum()),
        "cost": float(sum(architecture)),
    }


# Large enough to learn what matters here, at a fraction of the default's time.
SMALL = {
    "proxy": StructuralProxy(
        ensemble=EnsembleConfig(members=3, width=16, layers=2),
        pretraining=PretrainingConfig(steps=80, batch=32, learning_rate=1e-2),
        unlabelled=300,
    ),
    "ascent": Ascent(steps=10),
    "starts": NearIncumbents(count=8),
}


def optiproxy(space=SPACE, goal=SCORE, *, seed=0, **parts):
    return OptiProxy(space, goal, seed=seed, **{**SMALL, **parts})


def search(algorithm, budget, evaluate=measure):
    trials = []
    while len(trials) < budget:
        (proposal,) = algorithm.propose(1)
        trials.append(Trial(proposal.architecture, evaluate(proposal.architecture)))
        algorithm.observe(trials)
    return trials


def best(trials):
    return max(trial.metrics["score"] for trial in trials)


def share_better(score):
    """Share of the space that is better, from a sample."""
    sample = [measure(a)["score"] for a in SPACE.sample(np.random.default_rng(9), 20_000)]
    return float(np.mean(np.array(sample) > score))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_finds_in_40_queries_what_random_search_needs_thousands_for(seed):
    """With the default configuration: among the best thousandth, where one random search in 25 would be."""
    found = best(search(OptiProxy(SPACE, SCORE, seed=seed), 40))
    assert share_better(found) <= 1e-3
    assert found > best(search(RandomSearch(SPACE, SCORE, seed=seed), 40))


@pytest.mark.slow
def test_looks_where_a_limit_is_kept():
    """A fifth of the space keeps it; once it has seen some, most of what is proposed does."""
    goal = Goal((Objective("score"),), (Limit("cost", 9.0),))
    sample = SPACE.sample(np.random.default_rng(9), 2000)
    assert np.mean([goal.feasible(measure(a)) for a in sample]) < 0.25
    shares, found = [], []
    for seed in range(2):
        trials = search(optiproxy(goal=goal, seed=seed), 40)
        feasible = [goal.feasible(trial.metrics) for trial in trials]
        shares.append(np.mean(feasible[10:]))
        found.append(best([trial for trial, kept in zip(trials, feasible, strict=True) if kept]))
    assert np.mean(shares) > 0.5
    assert min(found) > max(measure(a)["score"] for a in sample[:100] if goal.feasible(measure(a)))


def dominated(trials):
    """Area that scores and costs leave behind, from the worst corner; larger = better."""
    points = sorted((trial.metrics["cost"], trial.metrics["score"]) for trial in trials)
    ends = [cost for cost, _ in points[1:]] + [24.0]
    heights = np.maximum.accumulate([score + 7.0 for _, score in points])
    return float(sum(height * (end - cost) for (cost, _), end, height in zip(points, ends, heights, strict=True)))


@pytest.mark.slow
def test_several_objectives_give_a_front_that_spans_what_random_search_does_not_reach():
    goal = Goal((Objective("score"), Objective("cost", "min")))
    ours, random = ([], [])
    for seed in range(2):
        trials = search(optiproxy(goal=goal, seed=seed), 40)
        assert len(goal.front([trial.metrics for trial in trials])) >= 3
        ours.append(dominated(trials))
        random.append(dominated(search(RandomSearch(SPACE, goal, seed=seed), 40)))
    assert min(ours) > max(random)


@pytest.mark.slow
def test_learns_from_what_others_have_tried():
    """From 60 random trials the first proposal is better than all of them."""
    for seed in range(3):
        tried = SPACE.sample(np.random.default_rng(seed), 60)
        trials = [Trial(architecture, measure(architecture)) for architecture in tried]
        algorithm = optiproxy(seed=seed)
        algorithm.observe(trials)
        (proposal,) = algorithm.propose(1)
        assert measure(proposal.architecture)["score"] > best(trials)


@pytest.mark.slow
def test_predictions_are_in_the_units_of_the_metrics_and_tell_good_from_bad():
    goal = Goal((Objective("score"),), (Limit("cost", 12.0),))
    algorithm = optiproxy(goal=goal)
    predicted, measured = [], []
    trials = []
    for _ in range(30):
        (proposal,) = algorithm.propose(1)
        metrics = measure(proposal.architecture)
        trials.append(Trial(proposal.architecture, metrics))
        algorithm.observe(trials)
        if proposal.predicted:
            predicted.append([proposal.predicted[name] for name in ("score", "cost")])
            measured.append([metrics[name] for name in ("score", "cost")])
    error = np.abs(np.array(predicted) - np.array(measured))[10:].mean(0)
    std = np.std(
        [[metrics["score"], metrics["cost"]] for metrics in map(measure, SPACE.sample(np.random.default_rng(0), 500))],
        axis=0,
    )
    assert (error < std).all()


@pytest.mark.slow
@pytest.mark.parametrize("failed", [{}, {"score": float("nan")}])
def test_failures_are_avoided_like_bad_results(failed):
    """Everything that has choice 0 in the first layer crashes, a quarter of the space."""

    def evaluate(architecture):
        return measure(architecture) if architecture[0] else failed

    trials = search(optiproxy(), 40, evaluate)
    assert sum(trial.architecture[0] == 0 for trial in trials[20:]) <= 3


@pytest.mark.slow
def test_failures_by_chance_hide_nothing():
    """Every third training fails, whatever it trains: what the search finds is as good as what others find."""
    rng = np.random.default_rng(1)
    trials = search(optiproxy(), 45, lambda architecture: {} if rng.random() < 1 / 3 else measure(architecture))
    best = max(trial.metrics.get("score", -np.inf) for trial in trials)
    every = [measure(architecture)["score"] for architecture in SPACE.sample(np.random.default_rng(2), 3000)]
    assert best > np.quantile(every, 0.995)


@pytest.mark.slow
def test_what_failed_or_lacks_a_limit_can_be_learned_from_by_every_proxy():
    """The first failure comes late, so that a proxy that is kept warm learns one metric more."""
    goal = Goal((Objective("score"),), (Limit("cost", 20.0),))

    def evaluate(architecture):
        metrics = measure(architecture)
        left_out = {} if architecture[0] == 0 else {"score": metrics["score"]}
        return metrics if architecture[0] > 1 else left_out

    for proxy in (StructuralProxy(), GraphConvolution()):
        trials = search(optiproxy(goal=goal, proxy=proxy), 8, evaluate)
        assert {len(trial.metrics) for trial in trials} >= {2}
        assert len({trial.architecture for trial in trials}) == 8


@pytest.mark.slow
def test_does_not_propose_isomorphic_cells_nor_pending_ones():
    algorithm = optiproxy(NASBench201())
    space = NASBench201()
    trials = []
    for _ in range(4):
        first = [proposal.architecture for proposal in algorithm.propose(4)]
        more = [proposal.architecture for proposal in algorithm.propose(4, first)]
        trials += [Trial(a, {"score": float(a.count(3) - a.count(0))}) for a in (*first, *more)]
        algorithm.observe(trials)
    assert len({space.canonical(trial.architecture) for trial in trials}) == 32


def test_what_is_told_of_a_proposal_does_not_take_what_runs_for_known():
    algorithm = OptiProxy(FlatSpace({"a": [*range(10)]}), SCORE, seed=0)
    algorithm.observe([Trial((a,), {"score": float(a % 4)}) for a in range(8)])
    alone = {proposal.architecture: proposal for proposal in algorithm.propose(2)}
    assert {*alone} == {(8,), (9,)}
    (beside,) = algorithm.propose(1, [(8,)])
    assert beside.architecture == (9,)
    assert beside.intervals["score"] == pytest.approx(alone[(9,)].intervals["score"], rel=1e-3)


def test_asks_for_validity_rarely():
    """It may be a latency to measure, so only what would be proposed is asked for."""
    asked = []
    space = RestrictedSpace(SPACE, lambda architecture: asked.append(architecture) is None)
    algorithm = optiproxy(space)
    algorithm.observe([Trial(a, measure(a)) for a in SPACE.sample(np.random.default_rng(0), 20)])
    assert len(algorithm.propose(3)) == 3
    assert len(asked) == 3


def test_global_random_streams_are_left_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002 - the global state is the point
    search(optiproxy(), 6)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


class Watched:
    """A part that does what another does, and counts how often it is asked."""

    def __init__(self, part):
        self._part = part
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self._part(*args, **kwargs)

    def __getattr__(self, name):
        found = getattr(self._part, name)
        if not callable(found):
            return found

        def watched(*args, **kwargs):
            self.calls += 1
            return found(*args, **kwargs)

        return watched


DEFAULTS = {
    "initial": MaximinDesign(),
    "proxy": SMALL["proxy"],
    "normalization": Normalization(),
    "starts": NearIncumbents(count=8),
    "ascent": Ascent(steps=10),
    "acquisition": HypervolumeImprovement(),
    "selection": LocalSelection(),
    "schedule": EveryTrial(),
}


@pytest.fixture(scope="module")
def usual():
    """The search of the default parts."""
    return search(optiproxy(), 14)


@pytest.mark.slow
def test_every_part_is_exchanged_by_passing_an_object(usual):
    """Also one that shares no class with ours; the same behaviour gives the same search."""
    watched = {name: Watched(part) for name, part in DEFAULTS.items()}
    assert search(optiproxy(**watched), 14) == usual
    assert all(part.calls > 0 for part in watched.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [
        {"acquisition": UpperConfidenceBound(beta=0.0)},
        {"initial": RandomDesign(size=3)},
        {"starts": NearIncumbents(count=2)},
        {"ascent": Ascent(steps=0)},
        {"normalization": Normalization(objectives=Standard.fit)},
    ],
    ids=lambda part: next(iter(part)),
)
def test_another_part_is_another_search(part):
    """On numbers, where no two ways to climb end at quite the same point."""
    space = FlatSpace({f"x{d}": Float(0, 1) for d in range(4)})

    def measure_numbers(architecture):
        return {"score": -sum((place / 100_000 - 0.3) ** 2 for place in architecture)}

    usual, other = (search(optiproxy(space, **parts), 8, measure_numbers) for parts in ({}, part))
    assert other != usual


@pytest.mark.slow
def test_the_published_method_goes_on_after_an_interruption_as_if_there_had_been_none():
    parts = {"proxy": GraphConvolution(width=16), "initial": RandomDesign(size=3), "schedule": Batches(3, 2)}
    whole = search(published(SPACE, SCORE, seed=0, **parts), 9)
    resumed = published(SPACE, SCORE, seed=0, **parts)
    resumed.observe(whole[:8])
    assert resumed.propose(1)[0].architecture == whole[8].architecture


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"ascent": None}, "'ascent' to have __call__, got NoneType None"),
        ({"acquisition": UpperConfidenceBound}, "Write UpperConfidenceBound()"),
        ({"proxy": "structural"}, "unlabelled, pretrain, fit, got str 'structural'"),
        ({"acquisition": Ascent()}, "'acquisition' to have rank"),
        ({"schedule": 3}, "'schedule' to have rounds"),
    ],
    ids=["nothing", "class", "text", "another part", "number"],
)
def test_what_is_no_part_is_refused_at_once(part, told):
    with pytest.raises(UsageError, match=re.escape(told)):
        optiproxy(**part)


def test_an_ascent_that_cannot_climb_is_refused():
    with pytest.raises(UsageError, match="0 or more steps"):
        Ascent(steps=-1)
