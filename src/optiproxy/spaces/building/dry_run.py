"""A network as it is in use: in evaluation mode, without gradients, and with weights that have their shapes.

Lazy modules, as `torch.nn.LazyLinear`, learn from their first input what shape their weights have. Until then there is nothing
to count, to write or to repeat, so whatever looks at a network runs an example through it first.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

Inputs = Tensor | tuple[Tensor, ...]
"""What a network is called with, each ``(b, ...)``; one tensor alone needs no tuple."""


def arguments(inputs: Inputs) -> tuple[Tensor, ...]:
    """Return the positional arguments of the call."""
    return (inputs,) if isinstance(inputs, Tensor) else inputs


@contextmanager
def evaluating(network: nn.Module, example: Inputs) -> Generator[tuple[Tensor, ...]]:
    """Run the body in evaluation mode and without gradients; the mode of every part is restored.

    Args:
        network: Its lazy modules are materialized first, and stay so.
        example: One input, ``(1, ...)``.

    Yields:
        The positional arguments that the example stands for.
    """
    # What only looks at a network leaves the user's stream of random numbers alone.
    with torch.random.fork_rng(devices=[]):
        materialize(network, example)
    with _in_use(network):
        yield arguments(example)


def materialize(network: nn.Module, example: Inputs) -> None:
    """Give the weights of lazy modules their shapes and their values, which torch's global random stream draws.

    Args:
        network: Changed in place, where it has lazy modules; a forward pass in evaluation mode does it.
        example: One input, ``(1, ...)``.
    """
    if has_lazy_weights(network):
        with _in_use(network):
            network(*arguments(example))


def has_lazy_weights(network: nn.Module) -> bool:
    """Return whether some weights still wait for an input to have a shape."""
    return any(map(is_lazy, (*network.parameters(), *network.buffers())))


@contextmanager
def _in_use(network: nn.Module) -> Generator[None]:
    # Part by part: a user may have frozen some, for example normalization.
    modes = [(part, part.training) for part in network.modules()]
    try:
        # Dropout and normalization as they are in use.
        network.eval()
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode
