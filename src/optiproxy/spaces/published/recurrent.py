"""The search space of NAS-Bench-NLP recurrent cells (Klyuchnikov et al. 2020, arXiv 2006.07116)."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.errors import UsageError
from optiproxy.graph import GraphBatch
from optiproxy.spaces.decisions import Architecture, Decision
from optiproxy.spaces.published.recurrent_cell import (
    ARITIES,
    FIRST_NODE,
    INPUT,
    MAX_STATES,
    Node,
    RecurrentCell,
    assemble,
)
from optiproxy.spaces.published.recurrent_relations import canonical_cell, edits
from optiproxy.spaces.space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator, Tensor

MAX_NODES = 15
"""Slots for nodes: as many as the largest of the published cells on WikiText-2 needs."""

MAX_FORMS = 8192
"""Canonical forms that are kept, about 1 kB each."""

KINDS = tuple((operation, arity) for operation, arities in ARITIES.items() for arity in arities)
"""What a slot may hold: an operation with a number of inputs."""

_VALUES = ("x", *(f"h_prev_{k}" for k in range(MAX_STATES)), *(f"node_{i}" for i in range(MAX_NODES)))
_WIDTH = max(arity for _, arity in KINDS)
"""Inputs of a slot: as many as the operation with the most has; others leave the last ones unused."""

_SLOTS = [slice(1 + MAX_STATES + i * (1 + _WIDTH), 1 + MAX_STATES + (i + 1) * (1 + _WIDTH)) for i in range(MAX_NODES)]
"""The decisions of each slot; before them stand the number of states and the slots that become the new ones."""

# What each kind means, as arrays over `KINDS`: number of inputs, may it read the input x, operation, inputs in use, gate.
_ARITY = np.array([arity for _, arity in KINDS])
_READS_INPUT = np.array([operation == "linear" for operation, _ in KINDS])
_OPERATION = np.array([[float(kind == operation) for operation in ARITIES] for kind, _ in KINDS])
_READS = np.array([[float(arity > p) for p in range(_WIDTH)] for _, arity in KINDS])
_BLENDS = np.array([float(operation == "blend") for operation, _ in KINDS])


class RecurrentSpace(Space):
    """Cells of 1 to 15 nodes and 1 to 3 hidden states; which nodes become the new states is searched, too.

    Decisions: the number of states; for each the slot that becomes it; for each slot an operation with its number of
    inputs, and where these come from. Every slot holds something, and what no new state needs is no part of the cell: so
    hardly any combination is malformed, and a cell grows as soon as one of its nodes reads another slot. Choices that mean
    nothing (slots that are not needed, inputs beyond the operation's number) are 0 in the canonical form.

    The proxy sees 22 nodes: the input, 3 previous states, 15 slots, 3 new states. Besides its operation a node has two
    features that edges alone do not tell: how much it is the gate of some ``blend``, and how much what the gate lets
    through. Nodes and edges weigh as much as they are needed, so that what is no part of the cell is not in the graph.
    Data enters at the input and leaves at the first new state; the other states are what the cell remembers.
    """

    name = "nasbench-nlp"
    # The order is that of `_SLOTS`: states, what becomes of them, then slot after slot.
    decisions = (
        Decision("states", tuple(range(1, 1 + MAX_STATES))),
        *(Decision(f"h_new_{k}", _VALUES[FIRST_NODE:]) for k in range(MAX_STATES)),
        *(
            decision
            for i in range(MAX_NODES)
            for decision in (
                Decision(f"node_{i}", tuple(f"{op}_{n}" if len(ARITIES[op]) > 1 else op for op, n in KINDS)),
                *(Decision(f"node_{i}_input_{p}", _VALUES[: FIRST_NODE + i]) for p in range(_WIDTH)),
            )
        ),
    )

    def cell(self, architecture: Architecture) -> RecurrentCell:
        """Return what this architecture computes.

        Raises:
            UsageError: If it is no valid architecture; the message says why.
        """
        if len(architecture) != len(self.decisions) or not all(
            0 <= position < len(decision.choices)
            for position, decision in zip(architecture, self.decisions, strict=True)
        ):
            raise UsageError(f"Expected a choice for each of the {len(self.decisions)} decisions, got {architecture}.")
        nodes: dict[int, Node] = {}
        for i, slot in enumerate(_SLOTS):
            kind, *inputs = architecture[slot]
            operation, arity = KINDS[kind]
            nodes[FIRST_NODE + i] = Node(operation, tuple(inputs[:arity]))
        return assemble(nodes, [FIRST_NODE + i for i in architecture[1 : 2 + architecture[0]]])

    def architecture_of(self, cell: RecurrentCell) -> Architecture:
        """Return the inverse of `cell`: the nodes fill the first slots, in their order.

        Raises:
            UsageError: If the cell has more nodes than there are slots.
        """
        if len(cell.nodes) > MAX_NODES:
            raise UsageError(f"Expected a recurrent cell of at most {MAX_NODES} nodes, got {len(cell.nodes)}.")
        architecture = [0] * len(self.decisions)
        architecture[0] = len(cell.hidden) - 1
        architecture[1 : 1 + len(cell.hidden)] = [j - FIRST_NODE for j in cell.hidden]
        for node, slot in zip(cell.nodes, _SLOTS, strict=False):
            kind = KINDS.index((node.operation, len(node.inputs)))
            unused = (0,) * (_WIDTH - len(node.inputs))
            architecture[slot] = [kind, *node.inputs, *unused]
        return tuple(architecture)

    def is_valid(self, architecture: Architecture) -> bool:
        return _canonical(architecture) is not None

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the architecture of the canonical cell (`canonical_cell`); an invalid one is returned as it is."""
        return _canonical(architecture) or architecture

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw ``n`` valid cells: each decision uniform among the choices that break no rule by themselves."""
        found: list[Architecture] = []
        while len(found) < n:
            # Which of several independent Gumbel variables is the highest is uniformly distributed (Gumbel-max).
            scores = rng.gumbel(size=(n - len(found) + 10, len(self.decisions), self.widest))
            # Ten more than are missing were drawn, because some leave the input or a state unread.
            found += [row for row in map(tuple, _decode(scores).tolist()) if self.is_valid(row)]
        return found[:n]

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Return the valid cells that one of `edits` makes, in canonical form; none for an invalid architecture."""
        return list(_neighbours(self.canonical(architecture)))

    def draw(self, probabilities: Tensor, n: int, generator: Generator) -> list[Architecture]:
        """Draw the likeliest and ``n`` random cells of each relaxed one, and leave out those that are not valid.

        Choices that break a rule by themselves are never taken: given the earlier ones, each decision is drawn in
        proportion to the probabilities of those that remain.
        """
        import torch

        b, d, c = probabilities.shape
        gumbel = -torch.empty(b, 1 + n, d, c).exponential_(generator=generator).log()
        gumbel[:, 0] = 0.0  # without noise the highest score is the likeliest choice
        scores = probabilities.clamp_min(1e-12).log()[:, None] + gumbel
        rows = _decode(scores.flatten(0, 1).numpy())
        return [row for row in map(tuple, rows.tolist()) if self.is_valid(row)]

    def encode(self, weights: Tensor) -> GraphBatch:
        import torch

        b = len(weights)
        states, becomes = weights[:, 0, :MAX_STATES], weights[:, 1 : 1 + MAX_STATES, :MAX_NODES]
        slots = weights[:, 1 + MAX_STATES :].reshape(b, MAX_NODES, 1 + _WIDTH, -1)
        kinds, sources = slots[:, :, 0, : len(KINDS)], slots[:, :, 1:]
        # State k exists where there are more than k: the probability of every larger number of states, added up.
        exists = states.flip(1).cumsum(1).flip(1)
        becomes = becomes * exists[:, :, None]
        # A slot reads a value unless none of the inputs in use comes from there, as if they were drawn independently.
        reads = (kinds @ weights.new_tensor(_READS))[..., None] * sources
        edges = 1.0 - (1.0 - reads).prod(2)
        # From the last slot to the first, so that whatever reads a slot has been settled: a slot is needed unless it
        # becomes no state and nothing that is needed reads it.
        live: list[Tensor] = []
        for i in reversed(range(MAX_NODES)):
            unneeded = (1.0 - becomes[:, :, i]).prod(1)
            for j, needed in zip(reversed(range(MAX_NODES)), live, strict=False):
                unneeded = unneeded * (1.0 - needed * edges[:, j, FIRST_NODE + i])
            live.append(1.0 - unneeded)
        alive = torch.stack(live[::-1], 1)

        # Edges alone do not tell the gate z and what it lets through, a, from b in z a + (1 - z) b.
        blends = kinds @ weights.new_tensor(_BLENDS) * alive
        in_blends = 1.0 - (1.0 - blends[:, :, None, None] * sources[:, :, :2]).prod(1)

        end = FIRST_NODE + MAX_NODES
        adjacency = weights.new_zeros(b, end + MAX_STATES, end + MAX_STATES)
        adjacency[:, : sources.shape[3], FIRST_NODE:end] = (edges * alive[:, :, None]).transpose(1, 2)
        adjacency[:, FIRST_NODE:end, end:] = becomes.transpose(1, 2)
        f = len(ARITIES)
        operations = weights.new_zeros(b, end + MAX_STATES, f + 3 + 2 * MAX_STATES)
        operations[:, FIRST_NODE:end, :f] = kinds @ weights.new_tensor(_OPERATION) * alive[:, :, None]
        operations[:, : sources.shape[3], f : f + 2] = in_blends.transpose(1, 2)
        operations[:, INPUT, f + 2] = 1.0
        for k in range(MAX_STATES):
            operations[:, 1 + k, f + 3 + k] = exists[:, k]
            operations[:, end + k, f + 3 + MAX_STATES + k] = exists[:, k]
        carried = {1 + k: f"h_prev_{k}" for k in range(MAX_STATES)}
        carried |= {end + k: f"h_new_{k}" for k in range(1, MAX_STATES)}
        return GraphBatch(operations, adjacency, inputs=(INPUT,), outputs=(end,), carried=carried)


_SPACE = RecurrentSpace()


_FORMS: dict[Architecture, Architecture | None] = {}
"""Canonical forms found lately, None where invalid; a form is its own. A search asks for the same ones again and again."""


def _canonical(architecture: Architecture) -> Architecture | None:
    with suppress(KeyError):
        return _FORMS[architecture]
    form = None
    with suppress(UsageError):
        form = _form(_SPACE.cell(architecture))
    _remember(architecture, form)
    return form


def _form(cell: RecurrentCell) -> Architecture:
    return _SPACE.architecture_of(canonical_cell(cell))


def _remember(architecture: Architecture, form: Architecture | None) -> None:
    # Emptied at once: what a search still needs is found again soon, and no order of use has to be kept.
    if len(_FORMS) >= MAX_FORMS:
        _FORMS.clear()
    _FORMS[architecture] = form
    if form is not None:
        # Which is why this is no `lru_cache`: the form is an answer of its own.
        _FORMS[form] = form


@lru_cache(maxsize=64)
def _neighbours(architecture: Architecture) -> tuple[Architecture, ...]:
    if _canonical(architecture) is None:
        return ()
    near = (cell for cell in edits(_SPACE.cell(architecture)) if len(cell.nodes) <= MAX_NODES)
    found = dict.fromkeys(map(_form, near))
    for form in found:
        _remember(form, form)
    return tuple(form for form in found if form != architecture)


def _decode(scores: NDArray[np.floating]) -> NDArray[np.integer]:
    """Take of each decision the choice with the highest score that, given the earlier ones, breaks no rule by itself.

    What may still be broken: that the input and every previous state have to be read.

    Args:
        scores: ``(n, d, c)``.

    Returns:
        ``(n, d)`` positions.
    """
    n, d, _ = scores.shape
    every = np.arange(n)
    rows = np.zeros((n, d), dtype=np.int64)

    def choose(decision: int, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        rows[:, decision] = np.where(allowed, scores[:, decision, : allowed.shape[1]], -np.inf).argmax(1)
        return rows[:, decision]

    states = 1 + choose(0, np.ones((n, MAX_STATES), dtype=bool))
    free = np.ones((n, MAX_NODES), dtype=bool)
    for k in range(MAX_STATES):
        free[every, choose(1 + k, free)] = False
    for i, slot in enumerate(_SLOTS):
        readable = np.ones((n, FIRST_NODE + i), dtype=bool)
        readable[:, 1:FIRST_NODE] = np.arange(MAX_STATES) < states[:, None]
        enough = readable.sum(1)[:, None] - ~_READS_INPUT >= _ARITY
        kind = choose(slot.start, enough)
        readable[:, INPUT] = _READS_INPUT[kind]
        for p in range(_WIDTH):
            readable[every, choose(slot.start + 1 + p, readable)] = False
    return rows
