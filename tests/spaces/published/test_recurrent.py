"""Recurrent cells: what they compute is what counts, so most tests run them on numbers."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.spaces.pool import PoolSpace
from optiproxy.spaces.published.recurrent import KINDS, MAX_NODES, RecurrentSpace
from optiproxy.spaces.published.recurrent_cell import (
    ARITIES,
    FIRST_NODE,
    INPUT,
    Node,
    RecurrentCell,
    assemble,
    from_recipe,
    to_recipe,
)
from optiproxy.spaces.published.recurrent_relations import canonical_cell, edits
from optiproxy.testing import SpaceConformance

SPACE = RecurrentSpace()
POOL = SPACE.sample(np.random.default_rng(1), 40)
seeds = st.integers(0, 2**32 - 1)

GRU = """{"r": {"op": "linear", "input": ["x", "h_prev_0"]}, "r_act": {"op": "activation_sigm", "input": ["r"]},
 "z": {"op": "linear", "input": ["x", "h_prev_0"]}, "z_act": {"op": "activation_sigm", "input": ["z"]},
 "rh": {"op": "elementwise_prod", "input": ["r_act", "h_prev_0"]}, "h_tilde": {"op": "linear", "input": ["x", "rh"]},
 "h_tilde_act": {"op": "activation_tanh", "input": ["h_tilde"]},
 "h_new_0": {"op": "blend", "input": ["z_act", "h_prev_0", "h_tilde_act"]}}"""

LSTM = """{"i": {"op": "linear", "input": ["x", "h_prev_0"]}, "i_act": {"op": "activation_tanh", "input": ["i"]},
 "j": {"op": "linear", "input": ["x", "h_prev_0"]}, "j_act": {"op": "activation_sigm", "input": ["j"]},
 "f": {"op": "linear", "input": ["x", "h_prev_0"]}, "f_act": {"op": "activation_sigm", "input": ["f"]},
 "o": {"op": "linear", "input": ["x", "h_prev_0"]}, "o_act": {"op": "activation_tanh", "input": ["o"]},
 "part1": {"op": "elementwise_prod", "input": ["f_act", "h_prev_1"]},
 "part2": {"op": "elementwise_prod", "input": ["i_act", "j_act"]},
 "h_new_1": {"op": "elementwise_sum", "input": ["part1", "part2"]},
 "h_new_1_act": {"op": "activation_tanh", "input": ["h_new_1"]},
 "h_new_0": {"op": "elementwise_prod", "input": ["h_new_1_act", "o_act"]}}"""


class TestRecurrentSpace(SpaceConformance):
    @pytest.fixture
    def space(self):
        return SPACE


class TestPoolOfRecurrentCells(SpaceConformance):
    @pytest.fixture
    def space(self):
        return PoolSpace(SPACE, list(dict.fromkeys(map(SPACE.canonical, POOL))))


def _cell(seed):
    return SPACE.cell(SPACE.sample(np.random.default_rng(seed), 1)[0])


def _shuffled(cell, rng):
    """The same network under other numbers: nodes in another order, commutative inputs and later states exchanged."""
    numbers = {FIRST_NODE + i: FIRST_NODE + int(n) for i, n in enumerate(rng.permutation(len(cell.nodes)))}
    states = [0, *(1 + rng.permutation(len(cell.hidden) - 1))]
    numbers |= {1 + int(k): 1 + n for n, k in enumerate(states)} | {INPUT: INPUT}
    nodes = {}
    for i, node in enumerate(cell.nodes):
        inputs = [numbers[j] for j in node.inputs]
        if node.operation != "blend":
            rng.shuffle(inputs)
        nodes[numbers[FIRST_NODE + i]] = Node(node.operation, tuple(inputs))
    return assemble(dict(sorted(nodes.items())), [numbers[cell.hidden[k]] for k in states])


def _run(cell, steps=3):
    """The outputs of some steps. A linear node has no name, so its weights are a function of what it is applied to alone;
    cells that differ in more than numbering then give other numbers, up to nodes that are copies of each other."""
    states = [0.3] * len(cell.hidden)
    outputs = []
    for step in range(steps):
        values = {INPUT: 0.7 - 0.2 * step} | {1 + k: state for k, state in enumerate(states)}
        for i, node in enumerate(cell.nodes):
            read = [values[j] for j in node.inputs]
            values[FIRST_NODE + i] = {
                "linear": lambda *r: 0.1 + 0.9 * math.fsum(x + 0.3 * math.sin(5 * x) for x in r),
                "blend": lambda z, a, b: z * a + (1 - z) * b,
                "product": lambda a, b: a * b,
                "sum": lambda a, b: a + b,
                "tanh": math.tanh,
                "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
                "leaky_relu": lambda a: max(a, 0.01 * a),
            }[node.operation](*read)
        states = [values[j] for j in cell.hidden]
        outputs.append(states[0])
    return outputs


# The cell


def test_a_cell_states_its_nodes_in_the_order_of_execution():
    cell = from_recipe(GRU)
    assert [node.operation for node in cell.nodes].count("linear") == 3
    assert cell.nodes[cell.hidden[0] - FIRST_NODE].operation == "blend"
    assert len(cell.hidden) == 1
    for i, node in enumerate(cell.nodes):
        assert all(j < FIRST_NODE + i for j in node.inputs)


LINEAR, TANH = Node("linear", (0, 1)), Node("tanh", (4,))


@pytest.mark.parametrize(
    ("nodes", "hidden", "message"),
    [
        ((LINEAR,), (), "1 to 3 hidden states, got 0"),
        ((LINEAR,), (4, 4, 4, 4), "1 to 3 hidden states, got 4"),
        ((Node("linear", (0, 1, 2)),), (4, 4), "a node of its own"),
        ((LINEAR,), (1,), "a node of its own"),
        ((LINEAR,), (5,), "a node of its own"),
        ((LINEAR, TANH), (4,), "node 1 is not"),
        ((Node("linear", (1,)),), (4,), "x is not"),
        ((Node("linear", (0,)),), (4,), "h_prev_0 is not"),
        ((Node("linear", (0, 2)),), (4,), "got h_prev_1"),
        ((Node("linear", (0, 4)),), (4,), "got node 0"),
        ((Node("linear", (0, 1, 1)),), (4,), "different values"),
        ((Node("linear", ()),), (4,), "inputs of node 0"),
        ((Node("tanh", (0,)),), (4,), "only linear"),
        ((LINEAR, Node("sum", (4,))), (5,), "2 inputs of node 1"),
        ((Node("convolution", (0, 1)),), (4,), "convolution"),
    ],
)
def test_what_breaks_a_rule_is_no_cell(nodes, hidden, message):
    with pytest.raises(UsageError, match=message):
        RecurrentCell(nodes, hidden)


def test_nodes_that_no_state_needs_are_left_out():
    assert assemble({9: LINEAR, 30: Node("tanh", (9,)), 7: Node("sum", (9, 1))}, [30]) == RecurrentCell(
        (LINEAR, TANH), (5,)
    )


def test_a_node_that_needs_itself_is_refused_however_far_the_way():
    n = 5_000
    ring = {FIRST_NODE + i: Node("linear", (0, 1, FIRST_NODE + (i + 1) % n)) for i in range(n)}
    with pytest.raises(UsageError, match="cycle"):
        assemble(ring, [FIRST_NODE])
    chain = {**ring, FIRST_NODE + n - 1: LINEAR}
    assert len(assemble(chain, [FIRST_NODE]).nodes) == n


def test_a_node_that_is_missing_is_named():
    with pytest.raises(UsageError, match="node 3 is missing"):
        assemble({4: Node("linear", (0, 1, 7))}, [4])


# Canonical form


@pytest.mark.slow
@given(seed=seeds)
def test_cells_that_differ_in_numbering_have_one_form(seed):
    rng = np.random.default_rng(seed)
    cell = _cell(seed)
    assert canonical_cell(_shuffled(cell, rng)) == canonical_cell(cell)


@given(seed=seeds)
def test_the_canonical_form_computes_the_same(seed):
    cell = _cell(seed)
    assert _run(canonical_cell(cell)) == pytest.approx(_run(cell), rel=1e-9, abs=1e-12)


@pytest.mark.slow
@given(seed=seeds)
def test_cells_with_one_form_are_isomorphic_and_others_are_not(seed):
    """Against an isomorphism test of its own, by trying all numberings; on the neighbours of a small cell, which are alike."""
    cells = [cell for cell in edits(_cell(seed)) if len(cell.nodes) <= 4][:30]
    for a in cells[:6]:
        for b in cells:
            assert (canonical_cell(a) == canonical_cell(b)) == _isomorphic(a, b)


def _isomorphic(a, b):
    if Counter(n.operation for n in a.nodes) != Counter(n.operation for n in b.nodes) or len(a.hidden) != len(b.hidden):
        return False
    for states in itertools.permutations(range(1, len(a.hidden))):
        order = [0, *states]
        for nodes in itertools.permutations(range(len(a.nodes))):
            numbers = {INPUT: INPUT} | {1 + k: 1 + order[k] for k in range(len(order))}
            numbers |= {FIRST_NODE + i: FIRST_NODE + n for i, n in enumerate(nodes)}
            if all(
                a.nodes[i].operation == b.nodes[n].operation
                and _read(a.nodes[i], numbers) == _read(b.nodes[n], {j: j for j in range(99)})
                for i, n in enumerate(nodes)
            ) and all(numbers[a.hidden[k]] == b.hidden[order[k]] for k in range(len(order))):
                return True
    return False


def _read(node, numbers):
    inputs = [numbers[j] for j in node.inputs]
    return inputs if node.operation == "blend" else sorted(inputs)


def test_order_matters_in_a_blend_and_the_output_is_the_first_state():
    def blend(*inputs):
        return RecurrentCell((LINEAR, Node("tanh", (4,)), Node("sigmoid", (4,)), Node("blend", inputs)), (7,))

    forms = {
        canonical_cell(blend(*inputs)) for inputs in [(4, 5, 6), (4, 6, 5), (5, 4, 6), (5, 6, 4), (6, 4, 5), (6, 5, 4)]
    }
    assert len(forms) == 6
    two = RecurrentCell((Node("linear", (0, 1, 2)), TANH), (4, 5))
    assert canonical_cell(two) != canonical_cell(replace(two, hidden=(5, 4)))


def test_equal_branches_are_no_obstacle():
    """Seven copies of one branch have 5,040 numberings; they are told apart by symmetry and not by trial."""
    nodes = []
    for i in range(7):
        nodes += [LINEAR, Node("tanh", (FIRST_NODE + 2 * i,))]
    level = [FIRST_NODE + 2 * i + 1 for i in range(7)]
    while len(level) > 1:
        nodes.append(Node("sum", (level.pop(0), level.pop(0))))
        level.append(FIRST_NODE + len(nodes) - 1)
    cell = RecurrentCell(tuple(nodes), (level[0],))
    assert canonical_cell(_shuffled(cell, np.random.default_rng(0))) == canonical_cell(cell)


# Architectures


@given(seed=seeds)
def test_an_architecture_is_its_cell_in_slots(seed):
    architecture = SPACE.sample(np.random.default_rng(seed), 1)[0]
    cell = SPACE.cell(architecture)
    assert SPACE.cell(SPACE.architecture_of(cell)) == cell
    assert SPACE.cell(SPACE.canonical(architecture)) == canonical_cell(cell)


@given(seed=seeds)
def test_what_is_no_part_of_the_cell_makes_no_difference(seed):
    rng = np.random.default_rng(seed)
    architecture = SPACE.canonical(SPACE.sample(rng, 1)[0])
    cell = SPACE.cell(architecture)
    other = list(architecture)
    for i in range(len(cell.nodes), MAX_NODES):
        start = 4 + 4 * i
        other[start : start + 4] = [rng.integers(len(KINDS)), *rng.integers(FIRST_NODE + i, size=3)]
    for i, node in enumerate(cell.nodes):
        unused = slice(5 + 4 * i + len(node.inputs), 8 + 4 * i)
        other[unused] = rng.integers(FIRST_NODE + i, size=3 - len(node.inputs)).tolist()
    other[1 + len(cell.hidden) : 4] = rng.integers(MAX_NODES, size=3 - len(cell.hidden)).tolist()
    other = tuple(map(int, other))
    assert SPACE.canonical(other) == architecture
    exact, same = SPACE.encode(SPACE.one_hot([architecture])), SPACE.encode(SPACE.one_hot([other]))
    assert torch.equal(exact.operations, same.operations)
    assert torch.equal(exact.adjacency, same.adjacency)


def test_random_combinations_are_refused_or_cells():
    rng = np.random.default_rng(0)
    counts = [len(decision.choices) for decision in SPACE.decisions]
    valid = 0
    for row in rng.integers(0, counts, size=(3_000, len(counts))).tolist():
        architecture = tuple(row)
        if SPACE.is_valid(architecture):
            valid += 1
            SPACE.cell(architecture)
        else:
            assert SPACE.canonical(architecture) == architecture
            assert SPACE.neighbours(architecture) == []
            with pytest.raises(UsageError):
                SPACE.cell(architecture)
    assert 0 < valid < 3_000


@pytest.mark.parametrize("wrong", [(), (0,) * 63, (0,) * 65, (-1, *[0] * 63), (3, *[0] * 63), (0,) * 63 + (18,)])
def test_what_is_no_architecture_is_refused(wrong):
    assert not SPACE.is_valid(wrong)
    with pytest.raises(UsageError, match="64 decisions"):
        SPACE.cell(wrong)


def test_cells_of_more_nodes_than_slots_are_refused():
    nodes = [LINEAR, *(Node("tanh", (FIRST_NODE + i,)) for i in range(MAX_NODES))]
    fits = RecurrentCell(tuple(nodes[:-1]), (FIRST_NODE + MAX_NODES - 1,))
    assert SPACE.is_valid(SPACE.architecture_of(fits))
    assert all(len(SPACE.cell(near).nodes) <= MAX_NODES for near in SPACE.neighbours(SPACE.architecture_of(fits)))
    with pytest.raises(UsageError, match="at most 15 nodes, got 16"):
        SPACE.architecture_of(RecurrentCell(tuple(nodes), (FIRST_NODE + MAX_NODES,)))


def test_samples_show_everything_that_a_cell_may_have():
    cells = [SPACE.cell(a) for a in SPACE.sample(np.random.default_rng(0), 400)]
    assert {len(cell.hidden) for cell in cells} == {1, 2, 3}
    assert {(n.operation, len(n.inputs)) for cell in cells for n in cell.nodes} == set(KINDS)
    sizes = Counter(len(cell.nodes) for cell in cells)
    assert set(range(1, 11)) <= set(sizes)
    assert len(set(map(canonical_cell, cells))) > 350


# Neighbours and draws


@settings(max_examples=10)
@given(seed=seeds)
def test_neighbours_are_valid_canonical_distinct_and_others(seed):
    architecture = SPACE.sample(np.random.default_rng(seed), 1)[0]
    near = SPACE.neighbours(architecture)
    assert near
    assert len(set(near)) == len(near)
    assert SPACE.canonical(architecture) not in near
    assert all(SPACE.is_valid(n) and SPACE.canonical(n) == n for n in near)
    assert SPACE.neighbours(SPACE.canonical(architecture)) == near


def test_edits_lead_from_the_simplest_cell_to_the_gated_ones():
    """A chain of edits on the way to the GRU: each step is a neighbour of the one before."""
    cells = [
        RecurrentCell((LINEAR, TANH), (5,)),
        RecurrentCell((LINEAR, TANH, Node("sigmoid", (5,))), (6,)),
        RecurrentCell((LINEAR, TANH, Node("product", (5, 1))), (6,)),
        RecurrentCell((LINEAR, TANH, Node("blend", (1, 5, 4))), (6,)),
        RecurrentCell((LINEAR, TANH, Node("blend", (5, 1, 4))), (6,)),
        RecurrentCell((LINEAR, Node("sigmoid", (4,)), Node("blend", (5, 1, 4))), (6,)),
    ]
    for before, after in itertools.pairwise(cells):
        assert SPACE.canonical(SPACE.architecture_of(after)) in SPACE.neighbours(SPACE.architecture_of(before))


@pytest.mark.slow
@settings(max_examples=20)
@given(seed=seeds)
def test_an_edit_that_loses_no_node_or_state_can_be_undone(seed):
    """In one step, unless the order of a blend's inputs is lost; so no cell is a dead end."""
    rng = np.random.default_rng(seed)
    architecture = SPACE.canonical(SPACE.sample(rng, 1)[0])
    near = SPACE.neighbours(architecture)
    other = near[rng.integers(len(near))]
    assert SPACE.neighbours(other)
    cells = [SPACE.cell(architecture), SPACE.cell(other)]
    same_size = len({(len(cell.nodes), len(cell.hidden)) for cell in cells}) == 1
    if same_size and not any(node.operation == "blend" for cell in cells for node in cell.nodes):
        assert architecture in SPACE.neighbours(other)


@pytest.mark.slow
def test_states_come_and_go_by_edits():
    """From any number of hidden states there is a way to any other."""
    counts = {n: set() for n in (1, 2, 3)}
    for architecture in SPACE.sample(np.random.default_rng(3), 25):
        before = len(SPACE.cell(architecture).hidden)
        counts[before] |= {len(SPACE.cell(n).hidden) for n in SPACE.neighbours(architecture)}
    assert counts == {1: {1, 2}, 2: {1, 2, 3}, 3: {2, 3}}


def test_a_sharp_relaxation_is_drawn_as_the_cell_that_it_is():
    members = [SPACE.canonical(a) for a in POOL[:10]]
    drawn = SPACE.draw(SPACE.one_hot(members), 0, torch.Generator().manual_seed(0))
    assert [SPACE.canonical(a) for a in drawn] == members


def test_draws_are_valid_varied_and_follow_the_generator():
    mask = torch.tensor([[c < len(d.choices) for c in range(SPACE.widest)] for d in SPACE.decisions])
    flat = (mask / mask.sum(1, keepdim=True)).expand(4, -1, -1)
    drawn = SPACE.draw(flat, 50, torch.Generator().manual_seed(0))
    assert len(set(map(SPACE.canonical, drawn))) > 50
    assert all(map(SPACE.is_valid, drawn))
    assert SPACE.draw(flat, 50, torch.Generator().manual_seed(0)) == drawn
    assert SPACE.draw(flat, 50, torch.Generator().manual_seed(1)) != drawn


def test_draws_follow_the_chances():
    """Nine in ten that the output is a tanh: so it is in most draws, where it breaks no rule."""
    centre = SPACE.one_hot([SPACE.architecture_of(RecurrentCell((LINEAR, TANH), (5,)))])
    mask = torch.tensor([[c < len(d.choices) for c in range(SPACE.widest)] for d in SPACE.decisions])
    chances = 0.9 * centre + 0.1 * mask / mask.sum(1, keepdim=True)
    drawn = [SPACE.cell(a) for a in SPACE.draw(chances, 300, torch.Generator().manual_seed(0))]
    tanh = sum(cell.nodes[cell.hidden[0] - FIRST_NODE].operation == "tanh" for cell in drawn)
    assert 0.7 < tanh / len(drawn) < 1.0


# The graph


def test_the_graph_of_a_cell():
    nodes = (LINEAR, Node("sigmoid", (4,)), Node("blend", (5, 1, 4)))
    graphs = SPACE.encode(SPACE.one_hot([SPACE.architecture_of(RecurrentCell(nodes, (6,)))]))
    #   nodes: x 0, previous states 1 to 3, slots 4 to 18, new states 19 to 21
    assert graphs.inputs == (0,)
    assert graphs.outputs == (19,)
    assert graphs.adjacency[0].nonzero().tolist() == [[0, 4], [1, 4], [1, 6], [4, 5], [4, 6], [5, 6], [6, 19]]
    described = [row.nonzero().flatten().tolist() for row in graphs.operations[0]]
    linear, blend, sigmoid = (list(ARITIES).index(op) for op in ("linear", "blend", "sigmoid"))
    gate, gated, x, before, after = 7, 8, 9, 10, 13
    expected = {0: [x], 1: [gated, before], 4: [linear], 5: [sigmoid, gate], 6: [blend], 19: [after]}
    assert described == [expected.get(i, []) for i in range(22)]


def test_a_relaxed_number_of_states_fades_the_later_ones():
    weights = SPACE.one_hot([SPACE.architecture_of(_with_states(3))])
    weights[0, 0, :3] = torch.tensor([0.5, 0.25, 0.25])
    graph = SPACE.encode(weights)
    assert graph.operations[0, [1, 2, 3], [10, 11, 12]].tolist() == [1.0, 0.5, 0.25]
    assert graph.adjacency[0, :, 19:].sum(0).tolist() == [1.0, 0.5, 0.25]


def _with_states(n):
    return RecurrentCell(
        (Node("linear", tuple(range(n))), *(Node("linear", (4, n)) for _ in range(n))), tuple(range(5, 5 + n))
    )


# Recipes


@given(seed=seeds)
def test_recipes_hold_the_whole_cell(seed):
    cell = _cell(seed)
    assert canonical_cell(from_recipe(to_recipe(cell))) == canonical_cell(cell)


def test_recipes_of_known_cells():
    assert len(from_recipe(LSTM).nodes) == 13
    assert len(from_recipe(LSTM).hidden) == 2
    assert len(from_recipe(GRU).nodes) == 8
    again = json.loads(to_recipe(from_recipe(GRU)))
    assert again["h_new_0"]["op"] == "blend"
    assert again["h_new_0"]["input"][1] == "h_prev_0"


def test_the_order_of_nodes_in_a_recipe_is_free():
    entries = json.loads(LSTM)
    assert canonical_cell(from_recipe(json.dumps(dict(reversed(entries.items()))))) == canonical_cell(from_recipe(LSTM))


def _recipe(**nodes):
    return json.dumps({name: {"op": op, "input": inputs} for name, (op, *inputs) in nodes.items()})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "in JSON"),
        ("{", "in JSON"),
        ("[" * 50_000, "nested too deeply"),
        ('{"a":' * 20_000, "nested too deeply"),
        ("9" * 5_000, "in JSON"),
        (" " * 100_001, "at most 100000 characters"),
        ("[]", "got list"),
        ("null", "got NoneType"),
        ("{}", "h_new_0 is missing"),
        ('{"h_new_0": 1}', "to be like"),
        ('{"h_new_0": {"op": ["linear"], "input": ["x"]}}', "to be like"),
        ('{"h_new_0": {"op": "linear", "input": "x"}}', "to be like"),
        ('{"h_new_0": {"op": "linear", "input": [0]}}', "got 0"),
        ('{"h_new_0": {"op": "linear", "input": [["x"]]}}', "got"),
        (_recipe(h_new_0=("linear", "x", "y")), "got 'y'"),
        (_recipe(h_new_0=("linear", "x", "h_prev_3")), "got 'h_prev_3'"),
        (_recipe(h_new_0=("linear", "x", "h_prev_1")), "got h_prev_1"),
        (_recipe(h_new_0=("activation_sigmoid", "x")), "activation_sigm"),
        (_recipe(h_new_0=("linear", "x", "h_prev_0", "h_new_0")), "cycle"),
        (_recipe(h_new_0=("linear", "x", "h_prev_0", "a"), a=("activation_tanh", "h_new_0")), "cycle"),
        (_recipe(h_new_1=("linear", "x", "h_prev_0")), "h_new_0 is missing"),
        (_recipe(h_new_0=("linear", "x", "h_prev_0"), h_new_2=("linear", "x", "h_prev_0")), "h_new_1 is missing"),
        (_recipe(**{f"h_new_{k}": ("linear", "x", "h_prev_0") for k in range(4)}), "1 to 3 hidden states, got 4"),
        (_recipe(h_new_0=("activation_tanh", "x")), "only linear"),
        (_recipe(h_new_0=("linear", "x")), "h_prev_0 is not"),
    ],
)
def test_what_is_no_recipe_is_refused(text, message):
    with pytest.raises(UsageError, match=message) as caught:
        from_recipe(text)
    assert len(str(caught.value)) < 400


def test_a_long_chain_is_read_without_recursion():
    names = [f"a{i}" for i in range(1_500)]
    chain = {name: ("activation_tanh", before) for name, before in zip(names[1:], names, strict=False)}
    text = _recipe(a0=("linear", "x", "h_prev_0"), h_new_0=("activation_tanh", names[-1]), **chain)
    assert len(from_recipe(text).nodes) == 1_501
    with pytest.raises(UsageError, match="at most 15 nodes"):
        SPACE.architecture_of(from_recipe(text))
