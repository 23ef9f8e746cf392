"""The conformance suites find what breaks the rules: each example breaks one, and the check named after it fails."""

from __future__ import annotations

import inspect
import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch

from optiproxy.baselines import RandomSearch
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.optimizer import Proposal
from optiproxy.spaces import FlatSpace, GraphBatch
from optiproxy.tables import TableTask
from optiproxy.task.task import Source
from optiproxy.testing import AlgorithmConformance, SpaceConformance, TaskConformance

GOAL = Goal((Objective("score"),))
CHOICES = {"a": [1, 2, 3], "b": [1, 2, 3]}


class _Encoded(FlatSpace):
    """A flat space whose graph has been tampered with."""

    def __init__(self, operations=lambda x: x, adjacency=lambda x: x):
        super().__init__(CHOICES)
        self._tamper = operations, adjacency

    def encode(self, weights):
        graphs = super().encode(weights)
        operations, adjacency = self._tamper
        return GraphBatch(operations(graphs.operations), adjacency(graphs.adjacency), graphs.inputs, graphs.outputs)


class _Drifting(FlatSpace):
    def canonical(self, architecture):
        return ((architecture[0] + 1) % 3, architecture[1])


class _Leaving(FlatSpace):
    def canonical(self, architecture):
        return (7, architecture[1])


class _Careless(FlatSpace):
    def sample(self, rng, n):
        return [(np.int64(i), np.int64(j)) for i, j in rng.integers(0, 3, (n, 2))]


class _Global(FlatSpace):
    def sample(self, rng, n):
        return super().sample(np.random.default_rng(), n) if rng is not None else []


@pytest.mark.parametrize(
    ("space", "check"),
    [
        (_Encoded(operations=lambda x: x * 0.9), "one_hot_weights_give_an_exact_graph"),
        (_Encoded(operations=lambda x: x - x.mean(0)), "every_architecture_of_a_batch_is_encoded_by_itself"),
        (_Encoded(operations=torch.zeros_like), "different_networks_have_different_graphs"),
        (_Encoded(operations=lambda x: 2 * x), "relaxed_graphs_are_well_formed"),
        (_Encoded(operations=lambda x: x.float()), "relaxed_graphs_are_well_formed"),
        (_Encoded(adjacency=lambda x: x.transpose(1, 2)), "relaxed_graphs_are_well_formed"),
        (_Encoded(operations=lambda x: x + (x * 1000).sin().detach()), "gradients_agree_with_differences"),
        (_Encoded(operations=torch.Tensor.detach), "every_choice_changes_the_graph_smoothly"),
        (_Encoded(operations=torch.Tensor.sqrt), "the_graph_nears_the_exact_one_as_the_weights_near_one_hot"),
        (_Drifting(CHOICES), "the_canonical_form_is_a_valid_member_and_its_own_canonical_form"),
        (_Leaving(CHOICES), "the_canonical_form_is_a_valid_member_and_its_own_canonical_form"),
        (_Careless(CHOICES), "samples_are_valid_members"),
        (_Global(CHOICES), "samples_depend_on_nothing_but_the_generator"),
    ],
)
def test_a_space_that_breaks_a_rule_is_found(space, check):
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(SpaceConformance(), f"test_{check}")(space)


class _Forgetful(RandomSearch):
    """Does not look at what is pending."""

    def propose(self, n, pending=()):
        return super().propose(n)


class _Blind(RandomSearch):
    """Does not look at the trials."""

    def observe(self, trials):
        pass


class _Stateful(RandomSearch):
    """Goes on in its stream of random numbers, whatever the trials."""

    asked = 0

    def propose(self, n, pending=()):
        self.asked += 1
        self._seed += self.asked
        return super().propose(n, pending)


class _Seedless(RandomSearch):
    def __init__(self, space, goal, *, seed):
        super().__init__(space, goal, seed=0 * seed)


class _Hashing(RandomSearch):
    """Depends on the hash of text, which differs between processes."""

    def __init__(self, space, goal, *, seed):
        super().__init__(space, goal, seed=abs(hash(f"seed {seed}")))


class _Greedy(RandomSearch):
    """Sorts the caller's list of pending architectures away."""

    def propose(self, n, pending=()):
        proposals = super().propose(n, pending)
        if isinstance(pending, list):
            pending.clear()
        return proposals


class _Wild(RandomSearch):
    def propose(self, n, pending=()):
        return [Proposal(p.architecture, {"score": math.nan}) for p in super().propose(n, pending)]


class _Stubborn(RandomSearch):
    def propose(self, n, pending=()):
        return [Proposal((0, 0, 0, 0))] * n


@pytest.mark.parametrize(
    ("algorithm", "check", "arguments"),
    [
        (_Forgetful, "nothing_is_left_while_the_rest_is_pending", {}),
        (_Blind, "exhausts_a_space_and_then_proposes_nothing", {}),
        (_Stateful, "a_replayed_search_goes_on_as_if_it_had_not_been_interrupted", {}),
        (_Seedless, "another_seed_proposes_something_else", {}),
        (_Greedy, "leaves_what_it_is_given_alone", {}),
        (_Wild, "proposes_new_valid_architectures", {"goal": GOAL}),
        (_Stubborn, "proposes_new_valid_architectures", {"goal": GOAL}),
        (_Stubborn, "goes_on_when_nothing_succeeds", {"goal": GOAL, "metrics": {}}),
    ],
)
def test_an_algorithm_that_breaks_a_rule_is_found(algorithm, check, arguments):
    with pytest.raises(AssertionError):
        getattr(AlgorithmConformance(), f"test_{check}")(algorithm, **arguments)


@pytest.mark.slow
def test_an_algorithm_that_differs_between_processes_is_found(monkeypatch):
    # Other processes hash text differently, even where this one was told how.
    monkeypatch.setenv("PYTHONHASHSEED", "42")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process, pytest.raises(AssertionError):
        AlgorithmConformance().test_the_same_seed_proposes_the_same_also_in_another_process(_Hashing, process)


def _table(**changes):
    return TableTask(
        changes.pop("name", "example"),
        FlatSpace(CHOICES),
        metrics=(Metric(name="loss", direction="min"), Metric(name="size", direction="min", free=True)),
        goal=Goal((Objective("loss", "min"),)),
        source=changes.pop("source", Source("made-up", "nine values")),
        architectures=np.array([[i, j] for i in range(3) for j in range(3)]),
        columns={"loss": np.arange(9.0), "size": np.arange(9.0)} | changes,
    )


class _Moody(TableTask):
    def evaluate(self, architecture, *, seed=0, fidelity=None):
        self.asked = getattr(self, "asked", 0) + 1
        return {"loss": float(self.asked), "size": 0.0}


def _moody():
    task = _table()
    task.__class__ = _Moody
    return task


def _with(task, **attributes):
    vars(task).update(attributes)
    return task


@pytest.mark.parametrize(
    ("task", "check"),
    [
        (_table(name="Not an id"), "has_an_id_for_the_command_line"),
        (_table(source=Source("", "nothing")), "says_where_its_values_come_from"),
        (_table(source=Source("a", "b", digest="md5:0")), "says_where_its_values_come_from"),
        (_with(_table(), fidelities=(12, 4)), "lists_its_fidelities_cheapest_first"),
        (_with(_table(), metrics=_table().metrics * 2), "declares_each_metric_once_and_all_that_its_goal_reads"),
        (_table(loss=np.full(9, math.nan)), "evaluation_returns_the_declared_metrics"),
        (_moody(), "the_same_seed_gives_the_same_values_up_to_measured_times"),
        (_moody(), "free_metrics_are_those_of_the_evaluation"),
        (_with(_table(), optimum=0.5), "nothing_is_better_than_the_optimum"),
    ],
)
def test_a_task_that_breaks_a_rule_is_found(task, check):
    method = getattr(TaskConformance(), f"test_{check}")
    available = {"task": task, "evaluations": {a: task.evaluate(a) for a in [(0, 0), (2, 1)]}}
    with pytest.raises(AssertionError):
        method(**{name: available[name] for name in inspect.signature(method).parameters})
