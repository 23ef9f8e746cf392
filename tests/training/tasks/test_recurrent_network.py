from __future__ import annotations

import numpy as np
import pytest
import torch

from optiproxy.spaces.published.recurrent import RecurrentSpace
from optiproxy.training.tasks.latency_limited import LSTM
from optiproxy.training.tasks.recurrent_network import BOUND, Cell, RecurrentNetwork

CHARACTERS = "\N{REPLACEMENT CHARACTER} abc"
NODES = tuple((node.operation, node.inputs) for node in LSTM.nodes)


def network(nodes=NODES, hidden=LSTM.hidden, width=6):
    torch.manual_seed(0)
    return RecurrentNetwork(nodes, hidden, characters=CHARACTERS, width=width).eval()


def test_the_lstm_cell_computes_what_torchs_own_does():
    width, b = 6, 4
    cell = Cell(NODES, LSTM.hidden, characters=5, width=width)
    own = torch.nn.LSTMCell(5, width)
    gates = [number for number, (name, _) in cell.nodes.items() if name == "linear"]
    # Each linear node is told by the activation that reads it and by what that enters.
    reader = {inputs[0]: number for number, (_, inputs) in cell.nodes.items() if len(inputs) == 1}
    candidate = next(n for n in gates if cell.nodes[reader[n]][0] == "tanh")
    role = {candidate: 2}
    for name, inputs in cell.nodes.values():
        if name == "product":
            for gate in gates:
                if reader[gate] in inputs and gate != candidate:
                    role[gate] = 1 if 2 in inputs else 0 if reader[candidate] in inputs else 3
    assert sorted(role.values()) == [0, 1, 2, 3]
    with torch.no_grad():
        for gate, place in role.items():
            part = slice(place * width, (place + 1) * width)
            cell.weights[str(gate)].copy_(own.weight_hh[part].T)
            columns = cell.table.weight.view(5, -1, width)[:, cell.readers.index(gate)]
            columns.copy_(own.weight_ih[part].T + own.bias_ih[part] + own.bias_hh[part])
        # So small that no new state is out of bounds.
        h, c = torch.randn(b, width).clamp(-0.5, 0.5), torch.randn(b, width).clamp(-0.5, 0.5)
        numbers = torch.tensor([0, 1, 4, 2])
        expected = own(torch.nn.functional.one_hot(numbers, 5).float(), (h, c))
        torch.testing.assert_close(tuple(cell(cell.rows(numbers), [h, c])), expected)


def test_blend_is_between_its_second_and_third_value():
    cell = Cell(
        (("linear", (0,)), ("linear", (1,)), ("sigmoid", (4,)), ("blend", (6, 1, 5))), (7,), characters=3, width=2
    )
    with torch.no_grad():
        rows, state = cell.rows(torch.tensor([1])), torch.tensor([[0.3, -0.6]])
        gate, other = torch.sigmoid(rows[:, 0]), cell.biases["5"] + state @ cell.weights["5"]
        torch.testing.assert_close(cell(rows, [state])[0], gate * state + (1 - gate) * other)


def test_a_text_may_be_read_in_pieces():
    model = network()
    numbers = torch.randint(5, (3, 10), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first, states = model.read(numbers[:, :4], model.start(3))
        second, _ = model.read(numbers[:, 4:], states)
        torch.testing.assert_close(torch.cat([first, second], 1), model(numbers))


def test_a_character_tells_nothing_about_those_before_it():
    model = network()
    numbers = torch.zeros(1, 8, dtype=torch.long)
    changed = numbers.clone()
    changed[0, 5] = 3
    with torch.no_grad():
        one, other = model(numbers), model(changed)
    assert torch.equal(one[:, :5], other[:, :5])
    assert not torch.equal(one[:, 5:], other[:, 5:])


def test_states_that_double_at_every_character_stay_within_bounds():
    doubling = (("linear", (0, 1)), ("sum", (1, 4)), ("sum", (1, 5)))
    logits, states = network(doubling, (6,)).read(torch.ones(1, 200, dtype=torch.long), [torch.ones(1, 6)])
    assert logits.isfinite().all()
    assert states[0].square().mean().sqrt().item() == pytest.approx(BOUND)


def test_a_state_that_is_too_long_keeps_its_direction_and_another_is_left_alone():
    cell = Cell((("linear", (0, 1)), ("sum", (1, 4))), (5,), characters=2, width=4)
    with torch.no_grad():
        cell.table.weight.zero_()
        cell.weights["4"].copy_(torch.eye(4))
        states = torch.tensor([[8.0, 0.0, -4.0, 1.0], [0.1, 0.0, -0.4, 0.3]])
        (long,), (short,) = (cell(cell.rows(torch.tensor([1])), [state]) for state in states.split(1))
    torch.testing.assert_close(long, BOUND * states[:1] / states[:1].square().mean().sqrt())
    torch.testing.assert_close(short, 2 * states[1:])


def test_an_output_counts_by_its_direction_alone():
    model = network((("linear", (0,)), ("tanh", (1,))), (4, 5))
    numbers = torch.arange(5)[None]
    with torch.no_grad():
        logits = model(numbers)
        model.cell.table.weight.mul_(0.5)
        torch.testing.assert_close(model(numbers), logits, rtol=1e-3, atol=1e-3)


def test_characters_that_are_not_known_share_a_number():
    assert network().encode("c zä").tolist() == [[4, 1, 0, 0]]


def test_every_cell_of_the_space_can_be_built_and_run():
    space = RecurrentSpace()
    numbers = torch.zeros(2, 3, dtype=torch.long)
    for architecture in space.sample(np.random.default_rng(0), 30):
        cell = space.cell(architecture)
        model = network(((node.operation, node.inputs) for node in cell.nodes), cell.hidden)
        loss = model(numbers).square().mean()
        loss.backward()
        # Every weight plays a part, since every node does.
        assert all(parameter.grad is not None for parameter in model.head.parameters())


def test_an_operation_that_is_not_known_is_no_cell():
    with pytest.raises(KeyError, match="swish"):
        network((("linear", (0, 1)), ("swish", (4,))), (5,))(torch.zeros(1, 1, dtype=torch.long))
