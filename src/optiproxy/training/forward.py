"""One forward pass of a network: in which mode it is measured, and how much memory it needs."""

from __future__ import annotations

import weakref
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

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
        # Dropout and normalization as they are in use.
        network.eval()
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes of one forward pass.

    Attributes:
        weights: Bytes of parameters and buffers.
        activations: Largest sum, at any time, of the inputs and of everything that the pass has made and still holds.
    """

    weights: int
    activations: int

    @property
    def peak(self) -> int:
        """Weights and activations together."""
        return self.weights + self.activations


def memory(network: nn.Module, example: Inputs) -> Memory:
    """Count the bytes of all tensors that live at once, which is the same on every machine.

    What a kernel allocates and frees within itself is not seen, nor is what the allocator keeps in reserve.

    Args:
        network: Measured in evaluation mode and without gradients, so that nothing is kept for a backward pass.
        example: One input, ``(1, ...)``.
    """
    inputs = arguments(example)
    # Storages and not tensors, because views and tied weights share one.
    kept = {tensor.untyped_storage() for tensor in (*network.parameters(), *network.buffers())}
    with evaluating(network), _Living(known=kept | {tensor.untyped_storage() for tensor in inputs}) as living:
        network(*inputs)
    # An input that is a weight as well is counted as a weight.
    held = {tensor.untyped_storage() for tensor in inputs} - kept
    return Memory(weights=_bytes(kept), activations=_bytes(held) + living.most)


def _bytes(storages: set[torch.UntypedStorage]) -> int:
    return sum(storage.nbytes() for storage in storages)


class _Living(TorchDispatchMode):
    """Follows the storages that operations make: how many bytes live now, and how many lived at most.

    Args:
        known: Storages that were there before, which are not counted.
    """

    def __init__(self, *, known: set[torch.UntypedStorage]) -> None:
        super().__init__()
        self.most = 0
        self._now = 0
        self._seen: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet(known)

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - torch does not export the type of its operations
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operation returns
        result = func(*args, **(kwargs or {}))
        for made in tree_leaves(result):
            if isinstance(made, Tensor):
                self._follow(made.untyped_storage())
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        # Views and in-place operations return storages that are counted already.
        if storage in self._seen:
            return
        self._seen.add(storage)
        self._now += storage.nbytes()
        self.most = max(self.most, self._now)
        # A dispatch mode sees what is made; that it is freed only its finalizer tells.
        weakref.finalize(storage, self._freed, storage.nbytes())

    def _freed(self, size: int) -> None:
        self._now -= size
