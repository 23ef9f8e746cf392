"""Parts of a network that are still to be chosen: `Choice`, `Repeat`, `Value`, `Cell`.

Use them inside of a function that builds your network, as if they were the module or number that they stand for::

    def model():
        width = Value([16, 32, 64], name="width")
        return nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            Choice({"relu": nn.ReLU, "gelu": nn.GELU}, name="activation"),
            Repeat(lambda i: Block(width), [1, 2, 3], name="depth"),
        )

    space = Space.from_model(model)

Each returns at once what has been chosen, so `space.build` gives the network that the function would have built by hand:
no wrappers, and nothing of what was not chosen. A name stands for one decision, wherever it is used. Outside of a space
the first choice is taken.

Inside, each part asks the current chooser what to take (`optiproxy.spaces.building.tracing`) and returns it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import TypeAlias, TypeVar

import torch
from torch import Tensor, nn

from optiproxy.errors import UsageError
from optiproxy.spaces.building import tracing
from optiproxy.spaces.building.blocks import OneDecision
from optiproxy.spaces.building.cells import CellBlock
from optiproxy.spaces.building.model import ModelSpace
from optiproxy.spaces.decisions import Decision

__all__ = ["Cell", "Choice", "ModelSpace", "Repeat", "Value"]

V = TypeVar("V")

Option: TypeAlias = "nn.Module | Callable[[], nn.Module]"
"""A module, or what makes one: a class or a function without arguments. Only the latter costs nothing unless chosen."""

Options: TypeAlias = "Mapping[str, Option] | Sequence[Option]"
"""Options by label, or in a list: named after their classes or functions where these differ, else by number."""


def Choice(options: Options, *, name: str) -> nn.Module:  # noqa: N802 - reads as the module that it stands for
    """One of several modules.

    Options may use `Choice` and the like themselves: those decisions matter only where their option is chosen.

    Args:
        options: Label -> what makes the module: a class, a function without arguments, or a module, which then is made
            whether it is chosen or not. A list will do where the classes tell the options apart.
        name: Name of the decision. Where the same name is used again, with the same labels, the same is chosen.

    Raises:
        UsageError: If there is no option, or one is no module.
    """
    by_label = labelled(options, name)
    decision = Decision(name, tuple(by_label))
    chooser = tracing.chooser()
    # Decided and not revealed: the function never sees the outcome, so one run explores all options at once.
    (chosen,) = chooser.decide(OneDecision(decision))
    modules = [
        chooser.under(decision, frozenset({position}), partial(made, option, label, name))
        for position, (label, option) in enumerate(by_label.items())
    ]
    module = modules[chosen]
    assert module is not None  # it has been chosen
    return module


def Repeat(block: Callable[[int], nn.Module], choices: Sequence[int], *, name: str) -> nn.Sequential:  # noqa: N802
    """Several modules in a row; how many is to be chosen.

    Decisions that a block makes under the same name are the same for all of them. Names with the number in them, like
    ``f"kernel{i}"``, make decisions of their own, and these matter only where so many blocks are chosen.

    Args:
        block: Called with 0, 1, ..., once for each module.
        choices: Numbers of modules.
        name: Name of the decision.

    Raises:
        UsageError: If a choice is no number of modules.
    """
    for count in list[object](choices):
        # True and False are whole numbers to Python, and nobody repeats a block True times.
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise UsageError(f"Expected {name!r} to repeat 0 times or more, got {count!r}.")
    decision = Decision.of(name, choices)
    chooser = tracing.chooser()
    (chosen,) = chooser.decide(OneDecision(decision))
    modules = [
        chooser.under(
            decision,
            # Block i is there for every number above i, and what it decides matters under that condition.
            frozenset(position for position, count in enumerate(choices) if count > i),
            partial(made, partial(block, i), str(i), name),
        )
        # While a space is made, blocks up to the largest number are gone into; later only the chosen ones.
        for i in range(max(choices))
    ]
    return nn.Sequential(*(module for module in modules[: choices[chosen]] if module is not None))


def Value(choices: Sequence[V], *, name: str) -> V:  # noqa: N802
    """One number of several, or one text, class or other object: an ordinary one, to compute and to compare with.

    Whatever depends on it, like a loop over so many layers with a `Choice` in each, is found out when the space is made.

    Args:
        choices: What to choose from: a list, as `Decision.of` reads it, or an `Int` or a `Float` from one number to another.
        name: Name of the decision. Where the same name is used again, with the same choices, the same is chosen.

    Raises:
        UsageError: If there is no choice, or one is listed twice.
    """
    # Revealed, because the function is free to compute with it: each choice needs a run of its own.
    decision = Decision.of(name, choices)
    return decision.objects[tracing.chooser().reveal(decision)]


def labelled(options: Options, name: str) -> dict[str, Option]:
    """Give every option its label.

    Raises:
        UsageError: If there is none.
    """
    if not options:
        raise UsageError(f"Decision {name!r} needs at least one option, got none.")
    if isinstance(options, Mapping):
        return {str(label): option for label, option in options.items()}
    labels = [_label(option) for option in options]
    # Two convolutions, or lambdas, are not told apart by their names: then numbers are the labels.
    if len(set(labels)) < len(labels) or not all(map(str.isidentifier, labels)):
        labels = [str(position) for position in range(len(labels))]
    return dict(zip(labels, options, strict=True))


def made(option: object, label: str, name: str) -> nn.Module:
    """Make the module of an option.

    Raises:
        UsageError: If it is no module, and makes none.
    """
    # A module is callable as well, but it is the option itself and does not make one.
    module: object = option if isinstance(option, nn.Module) or not callable(option) else option()
    if not isinstance(module, nn.Module):
        raise UsageError(
            f"Expected option {label!r} of {name!r} to be a module, or a class or function that makes one, "
            f"got {type(module).__name__}."
        )
    return module


def _label(option: Option) -> str:
    return type(option).__name__ if isinstance(option, nn.Module) else str(getattr(option, "__name__", ""))


def Cell(options: Options, *, nodes: int, inputs: int = 2, name: str) -> nn.Module:  # noqa: N802 - reads as the module that it stands for
    """A directed graph of which both the operations and their sources are to be chosen.

    Node 0 is the input. Each further node is the sum of what its operations make of its sources, which are different
    earlier nodes. The output is the sum of all nodes that no other node reads. So all operations have to return what has
    the shape of the input. Cells that differ in the numbering of their nodes alone are one architecture.

    Args:
        options: The operations, as in `Choice`; each use makes a module of its own.
        nodes: Number of nodes besides the input.
        inputs: Sources of each node; fewer where there are not so many earlier nodes.
        name: Name of the cell. Where the same name is used again, with the same options and numbers, it is the same graph,
            with weights of its own.

    Raises:
        UsageError: If there is no operation, node or input.
    """
    by_label = labelled(options, name)
    block = CellBlock(name, tuple(by_label), nodes=nodes, inputs=inputs)
    chooser = tracing.chooser()
    # A whole cell is decided at once, because its canonical form concerns all of its decisions together.
    wiring = block.wiring(chooser.decide(block))
    # Weights belong to a use of an operation: the same one on two edges is two modules.
    operations: list[nn.Module] = []
    for node, edges in zip(block.nodes, wiring, strict=True):
        for d, edge in zip(node.operations, edges, strict=True):
            modules = [
                chooser.under(block.decisions[d], frozenset({position}), partial(made, option, label, name))
                for position, (label, option) in enumerate(by_label.items())
            ]
            module = modules[edge.operation]
            assert module is not None  # it has been chosen
            operations.append(module)
    return CellModule([[edge.source for edge in edges] for edges in wiring], operations)


class CellModule(nn.Module):
    """A directed graph of modules.

    Args:
        sources: The nodes that each node but the input reads; 0 is the input.
        operations: One for each of these, in the same order.
    """

    def __init__(self, sources: Sequence[Sequence[int]], operations: Sequence[nn.Module]) -> None:
        super().__init__()
        self.sources = [list(read) for read in sources]
        self.operations = nn.ModuleList(operations)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map a tensor to one of the same shape, as far as the operations do."""
        operations = iter(self.operations)
        # Sources have smaller numbers than the nodes that read them, so one pass in order will do.
        values = [inputs]
        for read in self.sources:
            values.append(reduce(torch.add, [next(operations)(values[source]) for source in read]))
        used = {source for read in self.sources for source in read}
        return reduce(torch.add, [value for node, value in enumerate(values) if node not in used])
