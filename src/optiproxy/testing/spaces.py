"""The conformance suite of search spaces: what every one of them keeps to, our own, wrapped ones and those of others."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from optiproxy.errors import UsageError
from optiproxy.spaces import Architecture, Choice, Space

if TYPE_CHECKING:
    from torch import Tensor

SAMPLES = 20

ENUMERABLE = 20_000
"""Spaces up to this size are gone through, which takes a moment; it includes NAS-Bench-201."""


class SpaceConformance:
    """Subclasses define the fixture ``space``, which returns the `Space` to test; it must have a valid architecture."""

    def test_has_a_name_and_decisions_of_different_names(self, space: Space) -> None:
        names = [decision.name for decision in space.decisions]
        assert space.name
        assert names
        assert len(set(names)) == len(names)

    def test_samples_are_valid_members(self, space: Space) -> None:
        samples = _samples(space)
        assert 0 < len(samples) <= SAMPLES
        for architecture in samples:
            _check_member(space, architecture)
        assert space.sample(np.random.default_rng(0), 0) == []

    def test_samples_depend_on_nothing_but_the_generator(self, space: Space) -> None:
        first = space.sample(np.random.default_rng(7), SAMPLES)
        space.sample(np.random.default_rng(8), SAMPLES)
        assert space.sample(np.random.default_rng(7), SAMPLES) == first

    def test_the_canonical_form_is_a_valid_member_and_its_own_canonical_form(self, space: Space) -> None:
        for architecture in _samples(space):
            canonical = space.canonical(architecture)
            _check_member(space, canonical)
            assert space.canonical(canonical) == canonical

    def test_canonical_forms_of_many_are_those_of_each(self, space: Space) -> None:
        samples = _samples(space)
        assert space.canonical_rows(np.array(samples)).tolist() == [list(space.canonical(a)) for a in samples]

    def test_canonical_forms_of_many_are_refused_where_one_is_invalid(self, space: Space) -> None:
        rows = space.combinations(np.random.default_rng(0), SAMPLES)
        invalid = [row for row in rows if not space.is_valid(row)][:1]
        for row in invalid:
            with pytest.raises(UsageError):
                space.canonical_rows(np.array([_samples(space)[0], row]))

    def test_examples_and_neighbours_are_combinations_of_choices(self, space: Space) -> None:
        examples = space.examples(np.random.default_rng(0), SAMPLES)
        assert 0 < len(examples) <= SAMPLES
        for architecture in (*examples, *space.neighbours(_samples(space)[0])):
            _check_positions(space, architecture)

    def test_everything_is_as_much_as_the_size_says_and_holds_all_samples(self, space: Space) -> None:
        """Looked at where the space is small enough to be gone through."""
        if space.enumerable(ENUMERABLE):
            everything = list(space.everything())
            assert len(everything) == space.size
            assert everything == sorted(set(everything))
            assert {space.canonical(a) for a in _samples(space)} <= set(everything)

    def test_the_mask_has_the_choices_of_each_decision(self, space: Space) -> None:
        assert space.choice_mask.shape == (len(space.decisions), space.widest)
        assert space.choice_mask.sum(1).tolist() == [decision.columns for decision in space.decisions]

    def test_values_and_architecture_are_inverse(self, space: Space) -> None:
        for architecture in _samples(space):
            values = space.values(architecture)
            assert list(values) == [decision.name for decision in space.decisions]
            assert space.architecture(values) == architecture
            assert space.architecture(dict(reversed(values.items()))) == architecture

    def test_values_that_are_no_architecture_are_refused(self, space: Space) -> None:
        values = space.values(_samples(space)[0])
        name = space.decisions[0].name
        others: dict[str, Choice] = {key: value for key, value in values.items() if key != name}
        for wrong in (others, {**values, name + "?": 0}, {**values, name: "no such choice"}):
            with pytest.raises(UsageError):
                space.architecture(wrong)

    def test_the_fingerprint_is_that_of_an_equal_space(self, space: Space) -> None:
        again = copy.copy(space)
        vars(again).pop("fingerprint", None)
        assert again.fingerprint == space.fingerprint
        renamed = copy.copy(space)
        vars(renamed).pop("fingerprint", None)
        renamed.name = space.name + "?"
        assert renamed.fingerprint != space.fingerprint

    def test_one_hot_weights_give_an_exact_graph(self, space: Space) -> None:
        graphs = space.encode(space.one_hot(_samples(space)))
        if not space.points:
            for weights in (graphs.operations, graphs.adjacency):
                assert ((weights == 0) | (weights == 1)).all()

    def test_every_architecture_of_a_batch_is_encoded_by_itself(self, space: Space) -> None:
        samples = _samples(space)
        together = space.encode(space.one_hot(samples))
        for i, architecture in enumerate(samples):
            alone = space.encode(space.one_hot([architecture]))
            assert (alone.operations[0] == together.operations[i]).all()
            assert (alone.adjacency[0] == together.adjacency[i]).all()

    def test_different_networks_have_different_graphs(self, space: Space) -> None:
        samples = list({space.canonical(architecture): architecture for architecture in _samples(space)}.values())
        graphs = space.encode(space.one_hot(samples))
        for i, j in itertools.combinations(range(len(samples)), 2):
            same_operations = bool((graphs.operations[i] == graphs.operations[j]).all())
            same_adjacency = bool((graphs.adjacency[i] == graphs.adjacency[j]).all())
            assert not (same_operations and same_adjacency), (samples[i], samples[j])

    def test_relaxed_graphs_are_well_formed(self, space: Space) -> None:
        """Weights lie in [0, 1], edges lead forward, shapes, inputs and outputs agree."""
        import torch

        graphs = space.encode(_interior(space, n=SAMPLES))
        b, v, _ = graphs.operations.shape
        assert len(graphs) == b == SAMPLES
        assert graphs.adjacency.shape == (b, v, v)
        assert graphs.operations.dtype == graphs.adjacency.dtype == torch.float64
        for weights in (graphs.operations, graphs.adjacency):
            assert (weights >= -1e-12).all()
            assert (weights <= 1 + 1e-12).all()
        assert (graphs.adjacency.tril() == 0).all()
        assert graphs.inputs
        assert graphs.outputs
        assert all(0 <= node < v for node in (*graphs.inputs, *graphs.outputs))

    def test_gradients_agree_with_differences(self, space: Space) -> None:
        import torch

        weights = _interior(space, n=2).requires_grad_()

        def differentiable(relaxed: Tensor) -> tuple[Tensor, ...]:
            graphs = space.encode(relaxed)
            return tuple(out for out in (graphs.operations, graphs.adjacency) if out.requires_grad)

        assert torch.autograd.gradcheck(differentiable, (weights,), fast_mode=True)

    def test_every_choice_changes_the_graph_smoothly(self, space: Space) -> None:
        """Each choice of each decision has a gradient; without one, ascent could never leave or reach it."""
        import torch

        weights = _interior(space, n=1).requires_grad_()
        graphs = space.encode(weights)
        flat = torch.cat([graphs.operations.flatten(), graphs.adjacency.flatten()])
        direction = torch.randn(len(flat), generator=torch.Generator().manual_seed(0), dtype=flat.dtype)
        (gradient,) = torch.autograd.grad((flat * direction).sum(), weights)
        for d, decision in enumerate(space.decisions):
            assert (gradient[0, d, : decision.columns] != 0).all(), decision.name

    def test_the_graph_nears_the_exact_one_as_the_weights_near_one_hot(self, space: Space) -> None:
        corner = space.one_hot(_samples(space)[:2]).double()
        centre = _interior(space, n=len(corner))
        exact = space.encode(corner)
        distances: list[float] = []
        for step in (1e-3, 1e-6):
            near = space.encode(corner + step * (centre - corner))
            distances.append(
                max(
                    float((near.operations - exact.operations).abs().max()),
                    float((near.adjacency - exact.adjacency).abs().max()),
                )
            )
        # A smooth map moves in proportion to the step: a thousandth of it, within a factor of two.
        assert distances[1] <= 2e-3 * distances[0] + 1e-12

    def test_draws_are_combinations_of_choices_with_the_likeliest_among_them(self, space: Space) -> None:
        """At most ``1 + n`` of each relaxed architecture; of one that is discrete already, itself."""
        import torch

        known = _samples(space)[:3]
        counts = [len(decision.choices) for decision in space.decisions]
        for n in (0, 1, 5):
            drawn = space.draw(space.one_hot(known), n, torch.Generator().manual_seed(0))
            assert len(known) <= len(drawn) <= len(known) * (1 + n)
            assert set(known) <= set(drawn)
            for architecture in drawn:
                assert all(0 <= i < count for i, count in zip(architecture, counts, strict=True))


def _samples(space: Space) -> list[Architecture]:
    return space.sample(np.random.default_rng(0), SAMPLES)


def _check_member(space: Space, architecture: Architecture) -> None:
    _check_positions(space, architecture)
    assert space.is_valid(architecture)


def _check_positions(space: Space, architecture: Architecture) -> None:
    assert isinstance(architecture, tuple)
    assert len(architecture) == len(space.decisions)
    for position, decision in zip(architecture, space.decisions, strict=True):
        assert type(position) is int
        assert 0 <= position < len(decision.choices)


def _interior(space: Space, *, n: int) -> Tensor:
    """``(n, d, c)`` float64 weights inside the simplex, or the scale, of each decision, zero beyond its choices."""
    import torch

    rng = np.random.default_rng(0)
    weights = torch.zeros(n, len(space.decisions), space.widest, dtype=torch.float64)
    for d, decision in enumerate(space.decisions):
        if decision.point is not None:
            weights[:, d, 0] = torch.from_numpy(rng.uniform(0.1, 0.9, size=n))
            continue
        drawn = rng.dirichlet(np.full(len(decision.choices), 2.0), size=n)
        weights[:, d, : len(decision.choices)] = torch.from_numpy(drawn)
    return weights
