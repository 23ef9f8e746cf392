"""One forward pass of a network: in which mode it is measured, and how much memory it needs."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from optiproxy.spaces.building.dry_run import Inputs as Inputs
from optiproxy.spaces.building.dry_run import arguments as arguments
from optiproxy.spaces.building.dry_run import evaluating as evaluating
from optiproxy.training.operations import Operations


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
    with evaluating(network, example) as inputs:
        # Storages and not tensors, because views and tied weights share one.
        kept = {tensor.untyped_storage() for tensor in (*network.parameters(), *network.buffers())}
        given = {tensor.untyped_storage() for tensor in inputs}
        with _Living(known=kept | given) as living:
            network(*inputs)
    # An input that is a weight as well is counted as a weight.
    held = given - kept
    return Memory(weights=_bytes(kept), activations=_bytes(held) + living.most)


def _bytes(storages: set[torch.UntypedStorage]) -> int:
    return sum(storage.nbytes() for storage in storages)


def computation(network: nn.Module, example: Inputs) -> str:
    """List the operations of a forward pass with the shapes that they work on: all that its time depends on.

    Args:
        network: Run in evaluation mode and without gradients.
        example: One input, ``(1, ...)``.
    """
    with evaluating(network, example) as inputs, _Listing() as listing:
        network(*inputs)
    return "\n".join(listing.lines)


class _Listing(Operations):
    """Writes every operation down, without the content of tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def saw(
        self,
        operation: Any,  # noqa: ANN401 - as in `Operations`
        arguments: tuple[Any, ...],
        named: Mapping[str, Any],
        result: Any,  # noqa: ANN401, ARG002
    ) -> None:
        self.lines.append(f"{operation} {tree_map(_outline, (arguments, dict(named)))}")


def _outline(leaf: object) -> str:
    return (
        f"{leaf.dtype}{tuple(leaf.shape)}{leaf.stride() if leaf.layout == torch.strided else leaf.layout}{leaf.device}"
        if isinstance(leaf, Tensor)
        else repr(leaf)
    )


class _Living(Operations):
    """Follows the storages that operations make: how many bytes live now, and how many lived at most.

    Args:
        known: Storages that were there before, which are not counted.
    """

    def __init__(self, *, known: set[torch.UntypedStorage]) -> None:
        super().__init__()
        self.most = 0
        self._now = 0
        self._seen: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet(known)

    def saw(
        self,
        operation: Any,  # noqa: ANN401, ARG002 - as in `Operations`
        arguments: tuple[Any, ...],  # noqa: ARG002
        named: Mapping[str, Any],  # noqa: ARG002
        result: Any,  # noqa: ANN401
    ) -> None:
        for made in tree_leaves(result):
            if isinstance(made, Tensor):
                self._follow(made.untyped_storage())

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
