"""Floating-point operations of a network, counted while it runs once."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from optiproxy.training.forward import Inputs, arguments, evaluating


class UncountedWarning(UserWarning):
    """A network uses operations that nobody has a count for."""


def flops(network: nn.Module, example: Inputs) -> int:
    """Count the floating-point operations of one forward pass; a multiply-add counts as two, an activation as one.

    torch's own counter knows convolutions, matrix products and attention and passes over the rest without a word. Here
    normalization, pooling, reductions and everything that works element by element count as well.

    Args:
        network: Measured in evaluation mode.
        example: One input, ``(1, ...)``.

    Warns:
        UncountedWarning: If operations remain that nobody has a count for; the message names them.
    """
    with evaluating(network), _unfused(), _Count() as counted:
        network(*arguments(example))
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
    attention, recurrence = torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled
    torch.backends.mha.set_fastpath_enabled(False)
    torch.backends.mkldnn.enabled = False
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(attention)
        torch.backends.mkldnn.enabled = recurrence


class _Count(TorchDispatchMode):
    """Sees every operation that torch executes within its context and adds up their counts."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.unknown: set[str] = set()

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - torch does not export the type of its operations
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operation returns
        result = func(*args, **(kwargs or {}))
        packet = func.overloadpacket
        # torch's own formulas first, then ours; what is neither is either free, or one operation for each number, or unknown.
        if packet in flop_registry:
            self.total += flop_registry[packet](*args, **(kwargs or {}), out_val=result)
        elif packet in _FORMULAS:
            self.total += _FORMULAS[packet](args, result)
        elif packet in _NO_ARITHMETIC or func.is_view:
            pass
        elif torch.Tag.pointwise in func.tags:
            self.total += _first(result).numel()
        else:
            self.unknown.add(str(packet))
        return result


def _first(result: Any) -> Tensor:  # noqa: ANN401 - a tensor, or several of which the first is the answer
    return result if isinstance(result, Tensor) else result[0]


def _every_input(args: tuple[Any, ...], _: object) -> int:
    return args[0].numel()


def _normalized(args: tuple[Any, ...], _: object) -> int:
    # For each number: mean, deviation, its square, the sum of squares, division; then one scale and one shift.
    return 7 * args[0].numel()


def _shifted(_: object, result: Any) -> int:  # noqa: ANN401 - see `_first`
    # With fixed statistics: one scale and one shift.
    return 2 * _first(result).numel()


def _pooled(args: tuple[Any, ...], result: Any) -> int:  # noqa: ANN401 - see `_first`
    out, window = _first(result), args[1]
    # A window may be given once for all axes.
    return out.numel() * math.prod(window if len(window) > 1 else [*window] * (out.dim() - 2))


def _attended(args: tuple[Any, ...], _: object) -> int:
    (*batch, queries, width), (*_, keys, _), (*_, values) = (tensor.shape for tensor in args[:3])
    # Two products, and a softmax of five steps over the scores.
    return math.prod(batch) * queries * keys * (2 * width + 2 * values + 5)


_ATEN = torch.ops.aten


def _named(*names: str) -> list[Any]:
    """Those of the operations that this version of torch has."""
    return [getattr(_ATEN, name) for name in names if hasattr(_ATEN, name)]


_FORMULAS: dict[Any, Callable[[tuple[Any, ...], Any], int]] = {
    **dict.fromkeys(
        _named("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training"), _shifted
    ),
    **dict.fromkeys(_named("native_layer_norm", "native_group_norm", "_fused_rms_norm"), _normalized),
    **dict.fromkeys(_named("avg_pool2d", "avg_pool3d", "max_pool2d_with_indices", "max_pool3d_with_indices"), _pooled),
    **dict.fromkeys(
        _named("mean", "sum", "prod", "amax", "amin", "max", "min", "argmax", "argmin", "cumsum", "logsumexp"),
        _every_input,
    ),
    **dict.fromkeys(_named("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_max_pool2d"), _every_input),
    # Mean, deviation, its square and their sum.
    **dict.fromkeys(_named("var", "std", "var_mean", "std_mean"), lambda args, _: 4 * args[0].numel()),
    # Square, sum, scale.
    **dict.fromkeys(_named("renorm"), lambda args, _: 3 * args[0].numel()),
    # Largest, difference, exponential, sum, division.
    **dict.fromkeys(_named("_softmax", "_log_softmax", "_safe_softmax"), lambda args, _: 5 * args[0].numel()),
    **dict.fromkeys(_named("_scaled_dot_product_flash_attention_for_cpu"), _attended),
}
"""Operation -> function of its arguments and result that counts it, where torch's registry has none."""

_NO_ARITHMETIC = {
    *_named("empty", "empty_like", "empty_strided", "zeros", "zeros_like", "ones", "ones_like", "full", "full_like"),
    *_named("new_empty", "new_zeros", "new_ones", "new_full", "arange", "scalar_tensor", "eye", "tril", "triu"),
    *_named("clone", "copy_", "_to_copy", "fill_", "zero_", "contiguous", "_local_scalar_dense", "native_dropout"),
    *_named("_unsafe_view", "_reshape_alias", "_reshape_copy", "constant_pad_nd", "cat", "stack", "repeat", "flip"),
    *_named(
        "roll", "unsafe_split", "index", "index_select", "gather", "embedding", "where", "masked_fill", "pixel_shuffle"
    ),
}
"""Operations that only arrange memory; views besides."""
