"""A network's forward pass: what it is called with, and in which mode it is measured."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Inputs = Tensor | tuple[Tensor, ...]
"""What a network is called with, each ``(b, ...)``; one tensor alone needs no tuple."""


def arguments(inputs: Inputs) -> tuple[Tensor, ...]:
    """Return the positional arguments of the call."""
    return (inputs,) if isinstance(inputs, Tensor) else inputs


@contextmanager
def evaluating(network: nn.Module) -> Generator[None]:
    """Run the body in evaluation mode and without gradients; the mode of every part is restored."""
    # Part by part: a user may have frozen some, for example normalization.
    modes = [(part, part.training) for part in network.modules()]
    try:
        network.eval()
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode
