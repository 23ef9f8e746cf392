"""Networks built out of the parts are those that one would have built by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from optiproxy.errors import UsageError
from optiproxy.nn import Cell, Choice, Repeat, Value
from optiproxy.spaces import Space
from optiproxy.testing import SpaceConformance


def block(width, i):
    conv = Choice(
        {
            "conv": lambda: nn.Conv2d(width, width, Value([1, 3], name=f"kernel{i}"), padding="same"),
            "skip": nn.Identity,
        },
        name=f"op{i}",
    )
    return nn.Sequential(conv, Choice([nn.ReLU, nn.GELU], name="activation"))


def model():
    width = Value([4, 8, 6], name="width")
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        Repeat(lambda i: block(width, i), [0, 1, 2], name="depth"),
        Cell({"conv": lambda: nn.Conv2d(width, width, 1), "pool": lambda: nn.AvgPool2d(3, 1, 1)}, nodes=3, name="cell"),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, 2 * width),
        nn.Dropout(Value([0.0, 0.5], name="dropout")),
        nn.Linear(2 * width, 10),
    )


def looping():
    """Decisions that depend on a number, in plain Python."""
    layers = [
        Choice({"wide": lambda: nn.Linear(4, 4), "none": nn.Identity}, name=f"layer{i}")
        for i in range(Value([1, 2, 3], name="layers"))
    ]
    return nn.Sequential(*layers, Choice({"tanh": nn.Tanh, "relu": nn.ReLU}, name="last"))


def nested():
    def inner():
        return nn.Sequential(
            nn.Linear(4, 4),
            Choice(
                {"norm": lambda: nn.LayerNorm(4), "drop": lambda: nn.Dropout(Value([0.1, 0.2], name="p"))}, name="b"
            ),
        )

    # The same decision in two branches, and once more outside of them.
    return nn.Sequential(
        Choice({"inner": inner, "flat": lambda: nn.Dropout(Value([0.1, 0.2], name="p")), "id": nn.Identity}, name="a"),
        Choice([nn.ReLU, nn.Tanh], name="c"),
    )


def one():
    return Choice([nn.ReLU], name="only")


class TestModelSpace(SpaceConformance):
    @pytest.fixture(params=[model, looping, nested, one], ids=lambda f: f.__name__)
    def space(self, request):
        return Space.from_model(request.param)


def pick(space, **values):
    """The first choice of everything but these."""
    first = space.values((0,) * len(space.decisions))
    return space.architecture({**first, **values})


def test_the_decisions_are_those_of_the_parts():
    space = Space.from_model(model)
    assert {d.name: tuple(d.choices) for d in space.decisions} == {
        "width": (4, 8, 6),
        "depth": (0, 1, 2),
        "op0": ("conv", "skip"),
        "kernel0": (1, 3),
        "activation": ("ReLU", "GELU"),
        "op1": ("conv", "skip"),
        "kernel1": (1, 3),
        "cell_op_1_0": ("conv", "pool"),
        "cell_op_2_0": ("conv", "pool"),
        "cell_op_2_1": ("conv", "pool"),
        "cell_inputs_3": ("0_1", "0_2", "1_2"),
        "cell_op_3_0": ("conv", "pool"),
        "cell_op_3_1": ("conv", "pool"),
        "dropout": (0.0, 0.5),
    }


def test_a_value_may_be_a_class_a_tuple_or_a_function():
    space = Space.from_model(
        lambda: nn.Sequential(
            nn.Conv2d(1, 1, kernel_size=Value([(1, 1), (3, 3)], name="kernel")), Value([nn.ReLU, nn.GELU], name="act")()
        )
    )
    network = space.build((1, 1))
    assert network[0].kernel_size == (3, 3)
    assert isinstance(network[1], nn.GELU)
    assert space.values((1, 1)) == {"kernel": "(3, 3)", "act": "GELU"}


def test_a_built_network_is_the_one_built_by_hand():
    space = Space.from_model(model)
    built = space.build(pick(space, width=8, depth=2, op0="skip", kernel1=3, activation="GELU", cell_op_2_1="pool"))
    by_hand = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.Sequential(
            nn.Sequential(nn.Identity(), nn.GELU()),
            nn.Sequential(nn.Conv2d(8, 8, 3, padding="same"), nn.GELU()),
        ),
        built[2],
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 16),
        nn.Dropout(0.0),
        nn.Linear(16, 10),
    )
    assert str(built) == str(by_hand)
    by_hand.load_state_dict(built.state_dict())
    images = torch.rand(2, 1, 6, 6)
    assert torch.equal(built.eval()(images), by_hand.eval()(images))


def test_every_architecture_is_a_network_that_runs():
    space = Space.from_model(model)
    for architecture in space.sample(np.random.default_rng(0), 20):
        assert space.build(architecture)(torch.rand(2, 1, 6, 6)).shape == (2, 10)


def test_equal_canonical_forms_are_equal_networks():
    space = Space.from_model(nested)
    networks = {}
    for architecture in space.everything():
        network = space.build(architecture)
        assert networks.setdefault(space.canonical(architecture), str(network)) == str(network)
    # a: inner with (norm, or drop with 2 rates), flat with 2 rates, id; c: 2
    assert len(networks) == len(set(networks.values())) == (1 + 2 + 2 + 1) * 2


def test_a_loop_over_a_number_has_as_many_decisions_as_turns():
    space = Space.from_model(looping)
    networks = {space.canonical(a): str(space.build(a)) for a in space.everything()}
    assert len(networks) == len(set(networks.values())) == (2 + 4 + 8) * 2


def test_a_cell_adds_up_what_no_node_reads():
    class Times(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def forward(self, x):
            return self.factor * x

    space = Space.from_model(lambda: Cell({"2": lambda: Times(2.0), "3": lambda: Times(3.0)}, nodes=3, name="cell"))
    # Node 1 is 3 x, node 2 is 2 x + 3 (3 x) = 11 x, node 3 reads the input and node 1: 2 x + 2 (3 x) = 8 x.
    cell = space.build(pick(space, cell_op_1_0="3", cell_op_2_1="3", cell_inputs_3="0_1"))
    assert cell(torch.ones(1)).item() == 11 + 8
    cell = space.build(pick(space, cell_op_1_0="3", cell_op_2_1="3", cell_inputs_3="1_2", cell_op_3_0="3"))
    assert cell(torch.ones(1)).item() == 3 * 3 + 2 * 11


def test_the_weights_depend_on_the_seed_alone():
    space = Space.from_model(model)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first, again, other = (space.build((0,) * 14, seed=seed)[0].weight for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)


def lazy_model():
    return nn.Sequential(nn.LazyConv2d(Value([2, 4], name="width"), 3), nn.Flatten(), nn.LazyLinear(3))


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
def test_with_an_example_lazy_modules_are_built_with_weights_that_depend_on_the_seed_alone():
    space = Space.from_model(lazy_model, example=torch.zeros(1, 3, 8, 8))
    with torch.random.fork_rng(devices=[]):
        built = [space.build((1,), seed=seed).state_dict() for seed in (0, 0, 1)]
    assert [tuple(weights.shape) for weights in built[0].values()] == [(4, 3, 3, 3), (4,), (3, 144), (3,)]
    same, other = ([torch.equal(built[0][name], state[name]) for name in state] for state in built[1:])
    assert all(same)
    assert not any(other)
    assert space.build((0,)).training
    unsuited = Space.from_model(lazy_model, example=torch.zeros(1, 3))
    with pytest.raises(UsageError, match=r"Cannot build width=4 \(RuntimeError: "):
        unsuited.build((1,))


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
def test_without_an_example_lazy_modules_stay_as_they_were_written():
    network = Space.from_model(lazy_model).build((1,))
    assert isinstance(network[0], nn.LazyConv2d)
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 3)


def test_only_what_is_chosen_is_made():
    made = []

    def option(label):
        return lambda: made.append(label) or nn.Identity()

    space = Space.from_model(lambda: Choice({label: option(label) for label in "abc"}, name="op"))
    made.clear()
    space.build((1,))
    assert made == ["b"]


def test_outside_of_a_space_the_first_choice_is_taken():
    assert str(model()) == str(Space.from_model(model).build((0,) * 14))


@pytest.mark.slow
def test_a_built_network_can_be_exported_and_agrees():
    space = Space.from_model(model)
    network = space.build(space.sample(np.random.default_rng(1), 1)[0]).eval()
    images = torch.rand(2, 1, 6, 6)
    program = torch.export.export(network, (images,))
    torch.testing.assert_close(program.module()(images), network(images), rtol=0, atol=1e-5)


def test_a_huge_space_opens_with_a_few_runs():
    runs = []

    def huge():
        runs.append(1)
        return nn.Sequential(*(Choice([nn.ReLU, nn.Tanh, nn.GELU], name=f"layer{i}") for i in range(64)))

    assert Space.from_model(huge).size > 10**30
    assert len(runs) < 15


def test_what_computes_with_its_weights_is_run_on_the_cpu():
    def rates():
        depth = Value([1, 2], name="depth")
        return nn.Sequential(*(nn.Dropout(rate.item()) for rate in torch.linspace(0, 0.5, depth)))

    assert Space.from_model(rates).size == 2


def test_an_option_that_does_not_fit_leaves_the_others_alone():
    def attention():
        width = Value([12, 16], name="width")
        heads = Value([2, 4, 3, 8], name="heads")
        return nn.Sequential(nn.MultiheadAttention(width, heads), Choice([nn.ReLU, nn.GELU], name="activation"))

    space = Space.from_model(attention)
    assert [d.name for d in space.decisions] == ["width", "heads", "activation"]
    assert space.canonical((1, 2, 1)) == (1, 2, 1)
    with pytest.raises(
        UsageError, match=r"Cannot build width=16, heads=3, activation=GELU \(AssertionError: .*divisible"
    ):
        space.build((1, 2, 1))
    assert not space.where(lambda v: v["width"] % v["heads"] == 0).is_valid((1, 2, 1))


SHARED = nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nn.Linear(1, 1), "offers no choice"),
        (lambda: Value([1, 2], name="a"), "to return a torch.nn.Module, got int"),
        (lambda: Choice([], name="a"), "'a' needs at least one option"),
        (lambda: Choice({}, name="a"), "'a' needs at least one option"),
        (lambda: Choice({"x": 3}, name="a"), "option 'x' of 'a' to be a module, .* got int"),
        (lambda: Choice({"x": lambda: 3}, name="a"), "option 'x' of 'a' to be a module, .* got int"),
        (lambda: Repeat(lambda _: nn.ReLU(), [], name="n"), "'n' needs at least one choice"),
        (lambda: Repeat(lambda _: nn.ReLU(), [1, -1], name="n"), "'n' to repeat 0 times or more, got -1"),
        (lambda: nn.Dropout(Value([], name="p")), "'p' needs at least one choice"),
        (lambda: nn.Dropout(Value([0.1, 0.1], name="p")), "'p' lists a choice twice"),
        (lambda: nn.Dropout(Value("abc", name="p")), "'p' needs a list of choices, got the text 'abc'"),
        (
            lambda: nn.Sequential(Choice([nn.ReLU, nn.Tanh], name="a"), Choice([nn.ReLU, nn.GELU], name="a")),
            "Two decisions are named 'a'",
        ),
        (lambda: nn.Sequential(SHARED, Choice([nn.ReLU], name="a")), "A Linear is made outside of the model function"),
        (
            lambda: Choice({"x": lambda: nn.Linear("wide", 1)}, name="a"),
            "With the first choice of every decision it fails",
        ),
    ],
)
def test_bad_input_is_named_at_once(build, message):
    with pytest.raises(UsageError, match=message):
        Space.from_model(build)


@pytest.mark.parametrize("architecture", [(0,) * 13, (0,) * 15, (3, *(0,) * 13), (-1, *(0,) * 13)])
def test_what_is_no_architecture_is_not_built(architecture):
    with pytest.raises(UsageError, match="one position for each of the 14 decisions"):
        Space.from_model(model).build(architecture)


def test_a_network_is_built_from_names_as_well():
    space = Space.from_model(model)
    architecture = space.sample(np.random.default_rng(3), 1)[0]
    by_position, by_name = space.build(architecture), space.build(space.values(architecture))
    assert str(by_name) == str(by_position)
    assert all(torch.equal(a, b) for a, b in zip(by_name.parameters(), by_position.parameters(), strict=True))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"widht": 8}, "Unknown decision 'widht'. Did you mean 'width'?"),
        ({}, "Expected a value for every decision, got none for "),
        (
            "width",
            "Expected decision name -> value, or one position for each of the 14 decisions of model, got 'width'",
        ),
        (None, "Expected decision name -> value, or one position .* got None"),
        ([0.5] * 14, "Expected decision name -> value, or one position "),
    ],
)
def test_what_names_no_architecture_is_told_in_a_sentence(given, message):
    with pytest.raises(UsageError, match=message):
        Space.from_model(model).build(given)
