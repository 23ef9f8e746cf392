"""Floating-point operations of a network, counted while it runs once."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from optiproxy.training.flop_formulas import FORMULAS, NO_ARITHMETIC, first
from optiproxy.training.forward import Inputs, evaluating
from optiproxy.training.operations import Operations


class UncountedWarning(UserWarning):
    """A network uses operations that nobody has a count for."""


def flops(network: nn.Module, example: Inputs) -> int:
    """Count the floating-point operations of one forward pass; a multiply-add counts as two, an activation as one.

    torch's own counter knows convolutions, matrix products and attention and passes over the rest without a word. Here
    normalization, pooling, reductions and everything that works element by element count as well. The bias of a convolution
    or matrix product is part of it and counts nothing.

    Args:
        network: Measured in evaluation mode; its lazy modules are materialized.
        example: One input, ``(1, ...)``; several as a tuple.

    Warns:
        UncountedWarning: If operations remain that nobody has a count for; the message names them.
    """
    with evaluating(network, example) as inputs, _unfused(), _Count() as counted:
        network(*inputs)
    if counted.unknown:
        warnings.warn(
            f"Nobody has a count for {', '.join(sorted(counted.unknown))}: the floating-point operations of "
            f"{type(network).__name__} are more than the {counted.total:,} counted.",
            UncountedWarning,
            stacklevel=2,
        )
    return counted.total


@contextmanager
def _unfused() -> Generator[None]:
    """Run the body without fused kernels of attention and recurrence, which hide the products that they are made of."""
    attention = torch.backends.mha.get_fastpath_enabled()
    libraries: Any = (torch.backends.mkldnn, torch.backends.cudnn)
    enabled = [library.enabled for library in libraries]
    torch.backends.mha.set_fastpath_enabled(False)
    for library in libraries:
        library.enabled = False
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(attention)
        for library, was in zip(libraries, enabled, strict=True):
            library.enabled = was


class _Count(Operations):
    """Adds up the counts of all operations."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.unknown: set[str] = set()

    def saw(self, operation: Any, arguments: tuple[Any, ...], named: Mapping[str, Any], result: Any) -> None:  # noqa: ANN401
        # Masks, indices and lengths are computed with as well, and what has no floating-point number in it is no such operation.
        if not any(map(_is_floating, tree_leaves((arguments, result)))):
            return
        packet = getattr(operation, "overloadpacket", operation)
        # What works in place is named like what does not, with an underscore behind.
        name = str(packet).removeprefix("aten.").removesuffix("_")
        # Our formulas first: torch's own for attention leave the softmax out, and differ from device to device.
        if name in FORMULAS:
            self.total += FORMULAS[name](arguments, result)
        elif packet in flop_registry:
            self.total += flop_registry[packet](*arguments, **named, out_val=result)
        elif name in NO_ARITHMETIC or getattr(operation, "is_view", False):
            pass
        elif torch.Tag.pointwise in getattr(operation, "tags", ()):
            self.total += first(result).numel()
        else:
            self.unknown.add(str(packet))


def _is_floating(leaf: object) -> bool:
    return isinstance(leaf, Tensor) and (leaf.is_floating_point() or leaf.is_complex())
