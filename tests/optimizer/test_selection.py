from __future__ import annotations

import itertools

import pytest
import torch

from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Trial
from optiproxy.optimizer.records import History, Problem
from optiproxy.optimizer.seen import Seen
from optiproxy.optimizer.selection import LocalSelection, SampledSelection
from optiproxy.proxy import Prediction
from optiproxy.proxy.targets import Normalization
from optiproxy.spaces import FlatSpace, NASBench201

SPACE = FlatSpace({"a": [*range(4)], "b": [*range(2)], "c": ["only"], "d": [*range(3)]})
COUNTS = (4, 2, 1, 3)
MASK = torch.arange(4)[None, :] < torch.tensor(COUNTS)[:, None]
INCUMBENTS = [(0, 0, 0, 0), (3, 1, 0, 2)]


GOAL = Goal((Objective("score"),))
PROBLEM = Problem(SPACE, GOAL, 0)


def history(incumbents):
    """Trials of these architectures, the first one best."""
    trials = [Trial(a, {"score": -float(i)}) for i, a in enumerate(incumbents)]
    return History.of(trials, PROBLEM, Normalization()(GOAL, [trial.metrics for trial in trials]))


def candidates(selection, parameters, incumbents=((0, 0, 0, 0),), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return selection.candidates(parameters, problem=PROBLEM, history=history(incumbents), generator=generator)


def parameters(b=6, *, scale=1.0):
    return scale * torch.randn(b, 4, 4, generator=torch.Generator().manual_seed(1))


def test_candidates_are_distinct_members_of_the_space():
    found = candidates(LocalSelection(), parameters(), INCUMBENTS)
    assert len(found) == len(set(found))
    assert all(len(a) == 4 and all(0 <= i < n for i, n in zip(a, COUNTS, strict=True)) for a in found)
    assert all(type(i) is int for a in found for i in a)


def test_the_peaks_and_all_neighbours_of_the_incumbents_are_among_them():
    given = parameters()
    found = candidates(LocalSelection(draws=1), given, INCUMBENTS)
    peaks = {tuple(row) for row in given.masked_fill(~MASK, -torch.inf).argmax(-1).tolist()}
    assert peaks <= set(found)
    assert {n for incumbent in INCUMBENTS for n in SPACE.neighbours(incumbent)} <= set(found)


def test_what_is_drawn_follows_the_parameters():
    """Certain parameters leave one candidate; a share of uniform draws brings the others."""
    given = torch.zeros(1, 4, 4)
    given[0, torch.arange(4), torch.tensor([2, 1, 0, 0])] = 50.0
    assert candidates(LocalSelection(draws=64, uniform=0.0, incumbents=0), given) == [(2, 1, 0, 0)]
    assert len(candidates(LocalSelection(draws=400, uniform=1.0, incumbents=0), given)) == 24
    assert candidates(LocalSelection(draws=4, uniform=0.5, incumbents=0), given)[0] == (2, 1, 0, 0)


def test_many_neighbours_are_thinned_out_at_random():
    selection = LocalSelection(draws=1, uniform=0.0, incumbents=2, neighbours=3)
    given = torch.zeros(1, 4, 4)
    given[..., 0] = 50.0
    drawn = [set(candidates(selection, given, INCUMBENTS, seed=seed)) - {(0, 0, 0, 0)} for seed in range(20)]
    allowed = {n for incumbent in INCUMBENTS for n in SPACE.neighbours(incumbent)}
    assert all(len(found) <= 3 and found <= allowed for found in drawn)
    assert set.union(*drawn) == allowed


def test_only_the_best_trials_are_incumbents():
    given = torch.zeros(1, 4, 4)
    given[..., 0] = 50.0
    found = candidates(LocalSelection(draws=1, uniform=0.0, incumbents=1), given, INCUMBENTS)
    assert set(found) == {(0, 0, 0, 0), *SPACE.neighbours((0, 0, 0, 0))}


@pytest.mark.parametrize("architecture", list(itertools.product(range(4), range(2), range(1), range(3)))[::5])
def test_neighbours_are_all_that_differ_in_one_decision(architecture):
    everything = itertools.product(*(range(n) for n in COUNTS))
    expected = [a for a in everything if sum(x != y for x, y in zip(a, architecture, strict=True)) == 1]
    assert sorted(SPACE.neighbours(architecture)) == expected


def test_a_cell_has_24_neighbours():
    assert len(set(NASBench201().neighbours((0, 1, 2, 3, 4, 0)))) == 24


def distance_to(target):
    """Scores that rise towards one architecture, the same under each of two preferences."""

    def score(architectures):
        near = torch.tensor([-float(sum(x != y for x, y in zip(a, target, strict=True))) for a in architectures])
        return Prediction(near[:, None], torch.ones(len(near), 1)), near.expand(2, -1)

    return score


def test_discrete_steps_reach_what_the_ascent_has_missed():
    given = torch.zeros(1, 4, 4)
    given[..., 0] = 50.0
    seen = Seen(SPACE, [(0, 0, 0, 0)])
    selection = LocalSelection(draws=1, uniform=0.0, incumbents=1)
    found = selection(
        given,
        problem=PROBLEM,
        history=history([(0, 0, 0, 0)]),
        seen=seen,
        score=distance_to((3, 1, 0, 2)),
        generator=torch.Generator().manual_seed(0),
    )
    assert found.architectures[int(found.ranking[0, 0])] == (3, 1, 0, 2)
    assert found.prediction.mean.shape == (len(found.architectures), 1)
    assert found.ranking.shape == (2, len(found.architectures))
    assert len(set(found.architectures)) == len(found.architectures)
    assert (0, 0, 0, 0) not in found.architectures


@pytest.mark.parametrize("selection", [LocalSelection(), SampledSelection()])
def test_finds_nothing_where_everything_has_been_seen(selection):
    found = selection(
        parameters(),
        problem=PROBLEM,
        history=history(INCUMBENTS),
        seen=Seen(SPACE, SPACE.everything()),
        score=distance_to((0, 0, 0, 0)),
        generator=torch.Generator().manual_seed(0),
    )
    assert found is None


def test_the_published_selection_samples_each_set_and_its_likeliest():
    given = torch.zeros(2, 4, 4)
    given[0, torch.arange(4), torch.tensor([2, 1, 0, 0])] = 50.0
    found = SampledSelection(batch=40)(
        given,
        problem=PROBLEM,
        history=history(INCUMBENTS),
        seen=Seen(SPACE),
        score=distance_to((0, 0, 0, 0)),
        generator=torch.Generator().manual_seed(0),
    )
    # The first set is certain; the second is uniform, and draws 19 and its likeliest.
    assert found.architectures[0] == (2, 1, 0, 0)
    assert 5 < len(found.architectures) <= 21


def test_numbers_are_tried_coarsely_first_and_never_used_up():
    spacing = LocalSelection(coarsest=0.06, refinement=1.2).spacing
    assert spacing(3, 8) == 0.06
    assert spacing(60, 8) == pytest.approx(0.02)
    for n in (1, 10, 100, 1000):
        for numbers in (1, 2, 3, 8):
            assert (1 / spacing(n, numbers)) ** numbers >= 9.99 * n
