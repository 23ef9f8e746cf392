"""A small language model of characters around one recurrent cell of NAS-Bench-NLP (Klyuchnikov et al. 2020, arXiv 2006.07116).

This file needs torch alone: an export copies it as it stands, so that an exported network is rebuilt by the very code that
trained it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

UNKNOWN = 0
"""Number of the character that stands for all those that a network does not know: the first of its ``characters``."""

INPUT, FIRST_STATE, FIRST_NODE = 0, 1, 4
"""Values of a cell have numbers: the input's, then those of up to three previous states, then those of the nodes."""

BOUND = 1.0
"""Largest root mean square of a state; a longer one keeps its direction.

Sums and products of a state with itself would otherwise double or square it at every character.
"""

EPSILON = 1e-5
"""Mean square below which an output counts as nothing."""

ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "leaky_relu": functional.leaky_relu}


class Cell(nn.Module):
    """One step of the recurrence: a character and the previous states become the new states.

    A character is a row of zeros with a single one, so that a matrix times it is a row of a table. The tables of all nodes
    that read the input are one, looked up at all places of a text at once; what a bias would add is in its rows.

    Args:
        nodes: ``(operation, numbers of the values that it reads)`` in the order of execution.
        hidden: For each state, the number of the value that becomes its new one; the first of them is the output.
        characters: How many are told apart.
        width: Width of every state and node.
    """

    def __init__(
        self, nodes: Iterable[tuple[str, Sequence[int]]], hidden: Iterable[int], *, characters: int, width: int
    ) -> None:
        super().__init__()
        self.nodes = {number: (name, tuple(inputs)) for number, (name, inputs) in enumerate(nodes, start=FIRST_NODE)}
        self.hidden = tuple(hidden)
        self.width = width
        linear = {number: inputs for number, (name, inputs) in self.nodes.items() if name == "linear"}
        self.readers = tuple(number for number, inputs in linear.items() if INPUT in inputs)
        """Nodes that read the input; each row of the table holds ``width`` columns for each of them."""
        self.table = nn.Embedding(characters, len(self.readers) * width)
        self.biases = nn.ParameterDict({str(n): torch.empty(width) for n in linear if n not in self.readers})
        read = {number: len([j for j in inputs if j != INPUT]) for number, inputs in linear.items()}
        self.weights = nn.ParameterDict({str(n): torch.empty(m * width, width) for n, m in read.items() if m})
        # As torch's own layers: one over the root of the numbers that are added up. Of the table's rows only one is.
        nn.init.uniform_(self.table.weight, -1.0, 1.0)
        for parameter in (*self.biases.values(), *self.weights.values()):
            nn.init.uniform_(parameter, -(width**-0.5), width**-0.5)

    def rows(self, numbers: Tensor) -> Tensor:
        """What every character gives to each node that reads it, ``(b, k)`` numbers to ``(b, k, readers, width)``."""
        return self.table(numbers).unflatten(-1, (len(self.readers), self.width))

    def forward(self, rows: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        """Take the `rows` of one place, ``(b, readers, width)``, and each state ``(b, width)``; return the new states."""
        values = dict(enumerate(states, start=FIRST_STATE))
        offsets = dict(zip(self.readers, rows.unbind(1), strict=True))
        for number, (name, inputs) in self.nodes.items():
            read = [values[j] for j in inputs if j != INPUT]
            match name:
                case "linear":
                    offset = offsets[number] if number in offsets else self.biases[str(number)]
                    if read:
                        # One product for all that is read: a node has one matrix for each value, side by side.
                        joined = read[0] if len(read) == 1 else torch.cat(read, 1)
                        values[number] = torch.addmm(offset, joined, self.weights[str(number)])
                    else:
                        values[number] = offset
                case "blend":
                    gate, first, second = read
                    # Between the two: the first where the gate is one, the second where it is zero.
                    values[number] = torch.lerp(second, first, gate)
                case "product":
                    values[number] = read[0] * read[1]
                case "sum":
                    values[number] = read[0] + read[1]
                case _:
                    values[number] = ACTIVATIONS[name](read[0])
        # A root mean square of at most BOUND is a norm of at most BOUND times the root of the width.
        return [values[j].renorm(2, 0, BOUND * self.width**0.5) for j in self.hidden]


class RecurrentNetwork(nn.Module):
    """Reads a text and predicts at every place how likely each character is to come next.

    A linear head reads the cell's first state, scaled to a root mean square of 1 (Zhang and Sennrich, 1910.07467).

    Args:
        nodes: Nodes of the cell, see `Cell`.
        hidden: States of the cell, see `Cell`.
        characters: Those that are told apart, each once; the first stands for all others.
        width: Width of every state and node.
    """

    def __init__(
        self, nodes: Iterable[tuple[str, Sequence[int]]], hidden: Iterable[int], *, characters: str, width: int
    ) -> None:
        super().__init__()
        self.characters = characters
        self.cell = Cell(nodes, hidden, characters=len(characters), width=width)
        self.head = nn.Linear(width, len(characters))

    def encode(self, text: str) -> Tensor:
        """The characters' numbers, ``(1, k)``."""
        return torch.tensor([[max(UNKNOWN, self.characters.find(character)) for character in text]])

    def forward(self, numbers: Tensor) -> Tensor:
        """Map the beginning of a text, ``(b, k)`` numbers, to logits of each next character, ``(b, k, characters)``."""
        return self.read(numbers, self.start(numbers.shape[0]))[0]

    def start(self, b: int) -> list[Tensor]:
        """The states before a text begins, each ``(b, width)``."""
        # Of the type and on the device of the network.
        return [self.head.weight.new_zeros(b, self.cell.width) for _ in self.cell.hidden]

    def read(self, numbers: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Continue a text.

        Args:
            numbers: ``(b, k)``.
            states: That the characters before have left, each ``(b, width)``.

        Returns:
            Logits of each next character, ``(b, k, characters)``, and the states after the last one.
        """
        outputs: list[Tensor] = []
        current = [*states]
        for rows in self.cell.rows(numbers).unbind(1):
            current = self.cell(rows, current)
            outputs.append(current[0])
        # Cells differ in the size of their outputs by orders of magnitude; a head learns at one rate.
        normalized = functional.rms_norm(torch.stack(outputs, 1), (self.cell.width,), eps=EPSILON)
        return self.head(normalized), current
