"""How many floating-point operations torch's operations take, as far as torch itself does not say."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from torch import Tensor

Formula: TypeAlias = "Callable[[tuple[Any, ...], Any], int]"
"""Counts an operation, given its arguments and its result."""


def first(result: Any) -> Tensor:  # noqa: ANN401 - a tensor, or several of which the first is the answer
    """Return the tensor that an operation is about."""
    return result if isinstance(result, Tensor) else result[0]


def _each_input(count: int, position: int = 0) -> Formula:
    """So many for each number of an argument."""
    return lambda args, _: count * args[position].numel()


def _each_output(count: int) -> Formula:
    """So many for each number of the result."""
    return lambda _, result: count * first(result).numel()


def _normalized(args: tuple[Any, ...], _: object) -> int:
    # For each number: mean, deviation, its square, the sum of squares, division; then one scale and one shift.
    return 7 * args[0].numel()


def _batch_normalized(args: tuple[Any, ...], result: Any) -> int:  # noqa: ANN401 - see `first`
    # The first argument that is true or false says whether the statistics are those of the input, as in instance normalization.
    of_input = next((argument for argument in args if isinstance(argument, bool)), False)
    # With fixed statistics: one scale and one shift.
    return _normalized(args, result) if of_input else 2 * first(result).numel()


def _scaled_by_root(args: tuple[Any, ...], _: object) -> int:
    given, shape, weight = args[:3]
    rows = given.numel() // math.prod(shape)
    # Square, sum, division; a sum with epsilon and a root for each row; a scale.
    return (3 if weight is None else 4) * given.numel() + 2 * rows


def _pooled(axes: int) -> Formula:
    """Each number of the result is that of a window."""

    def count(args: tuple[Any, ...], result: Any) -> int:  # noqa: ANN401 - see `first`
        window = args[1]
        # It may be given once for all axes.
        return first(result).numel() * math.prod(window if len(window) > 1 else [*window] * axes)

    return count


def _pooled_to_size(axes: int) -> Formula:
    """The same with windows that differ, and overlap where the sizes do not divide."""

    def count(args: tuple[Any, ...], result: Any) -> int:  # noqa: ANN401 - see `first`
        before, after = args[0].shape[-axes:], first(result).shape[-axes:]
        windows = (
            sum(-(-(i + 1) * size // out) - i * size // out for i in range(out))
            for size, out in zip(before, after, strict=True)
        )
        return math.prod(args[0].shape[:-axes]) * math.prod(windows)

    return count


def _bag(args: tuple[Any, ...], _: object) -> int:
    table, indices = args[:2]
    weighted = len(args) > 6 and args[6] is not None
    return (2 if weighted else 1) * indices.numel() * table.shape[1]


def _attended(args: tuple[Any, ...], _: object) -> int:
    (*batch, queries, width), (*_, keys, _), (*_, values) = (tensor.shape for tensor in args[:3])
    # Two products, and a softmax of five steps over the scores.
    return math.prod(batch) * queries * keys * (2 * width + 2 * values + 5)


def _trilinear(args: tuple[Any, ...], _: object) -> int:
    # Each factor lacks the axes that it is expanded along. The first two are multiplied and summed over what the third lacks,
    # then their product and the third over the rest.
    shapes = [list(tensor.shape) for tensor in args[:3]]
    for shape, axes in zip(shapes, args[3:6], strict=True):
        for axis in sorted(axes):
            shape.insert(axis, 1)
    summed, lacking = set(args[6]), set(args[5])
    sizes = [max(size) for size in zip(*shapes, strict=True)]
    pair = [max(size) for size in zip(*shapes[:2], strict=True)]
    rest = [1 if axis in summed & lacking else size for axis, size in enumerate(sizes)]
    return 2 * math.prod(pair) + 2 * math.prod(rest)


def _sampled_from_grid(axes: int) -> Formula:
    def count(args: tuple[Any, ...], result: Any) -> int:  # noqa: ANN401 - see `first`
        # A multiply-add for each neighbor: linear, nearest, cubic.
        neighbors = (2**axes, 0, 4**axes)[args[2]]
        return 2 * neighbors * first(result).numel()

    return count


FORMULAS: dict[str, Formula] = {
    # Products, and sums of products.
    "mv": _each_input(2),
    "addmv": _each_input(2, position=1),
    "dot": _each_input(2),
    "vdot": _each_input(2),
    "addr": _each_output(2),
    "linalg_cross": _each_output(3),
    "addbmm": lambda args, _: 2 * args[1].numel() * args[2].shape[-1],
    "_addmm_activation": lambda args, result: 2 * args[1].numel() * args[2].shape[-1] + result.numel(),
    "_trilinear": _trilinear,
    # Difference, square, sum.
    "_cdist_forward": lambda args, result: 3 * result.numel() * args[0].shape[-1],
    **dict.fromkeys(
        [
            "_scaled_dot_product_flash_attention_for_cpu",
            "_scaled_dot_product_flash_attention",
            "_scaled_dot_product_efficient_attention",
            "_scaled_dot_product_cudnn_attention",
            "_scaled_dot_product_fused_attention_overrideable",
        ],
        _attended,
    ),
    # Beside the products, for each hidden unit: four or three gates and what they do.
    "_thnn_fused_lstm_cell": _each_input(13, position=2),
    "_thnn_fused_gru_cell": _each_input(10, position=2),
    # Normalization.
    **dict.fromkeys(
        [
            "native_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "cudnn_batch_norm",
            "miopen_batch_norm",
        ],
        _batch_normalized,
    ),
    **dict.fromkeys(["native_layer_norm", "native_group_norm"], _normalized),
    "_fused_rms_norm": _scaled_by_root,
    # Square, sum, scale.
    **dict.fromkeys(["renorm", "_weight_norm_interface"], _each_input(3)),
    # Largest, difference, exponential, sum, division.
    **dict.fromkeys(["_softmax", "_log_softmax", "_safe_softmax"], _each_input(5)),
    # Pooling.
    **dict.fromkeys(["avg_pool2d", "max_pool2d_with_indices", "fractional_max_pool2d"], _pooled(2)),
    **dict.fromkeys(["avg_pool3d", "max_pool3d_with_indices", "fractional_max_pool3d"], _pooled(3)),
    **dict.fromkeys(["_adaptive_avg_pool2d", "adaptive_max_pool2d"], _pooled_to_size(2)),
    **dict.fromkeys(["_adaptive_avg_pool3d", "adaptive_max_pool3d"], _pooled_to_size(3)),
    **dict.fromkeys(["_embedding_bag", "_embedding_bag_forward_only"], _bag),
    # A sum where windows overlap.
    "col2im": _each_input(1),
    # Interpolation: a multiply-add for each neighbor.
    "upsample_linear1d": _each_output(4),
    "upsample_bilinear2d": _each_output(8),
    "upsample_trilinear3d": _each_output(16),
    "upsample_bicubic2d": _each_output(32),
    # A matrix times the coordinates and one.
    "affine_grid_generator": lambda args, result: 2 * args[0].shape[-1] * result.numel(),
    "grid_sampler_2d": _sampled_from_grid(2),
    "grid_sampler_3d": _sampled_from_grid(3),
    # Reductions.
    **dict.fromkeys(
        ["mean", "sum", "nansum", "prod", "amax", "amin", "aminmax", "max", "min", "argmax", "argmin", "any", "all"],
        _each_input(1),
    ),
    **dict.fromkeys(["cumsum", "cumprod", "cummax", "cummin", "logsumexp", "trace", "count_nonzero"], _each_input(1)),
    # Mean, deviation, its square and their sum.
    **dict.fromkeys(["var", "std", "var_mean", "std_mean"], _each_input(4)),
    **dict.fromkeys(["linalg_vector_norm", "norm"], _each_input(2)),
    **dict.fromkeys(["scatter_add", "scatter_reduce", "_scatter_reduce"], _each_input(1, position=2)),
    "index_add": _each_input(1, position=3),
    # Element by element, though torch does not say so: an activation counts as one, a gate multiplies as well.
    **dict.fromkeys(
        [
            "hardswish",
            "rrelu_with_noise",
            "_prelu_kernel",
            "log_sigmoid_forward",
            "threshold",
            "gelu",
            "mish",
            "floor_divide",
        ],
        _each_output(1),
    ),
    **dict.fromkeys(["glu", "polar"], _each_output(2)),
}
"""Name of an operation -> what counts it; without the underscore behind those that work in place."""

# New tensors, drawn at random or not.
_NEW = """
empty empty_like empty_strided empty_permuted zeros zeros_like ones ones_like full full_like new_empty
new_empty_strided new_zeros new_ones new_full arange linspace logspace scalar_tensor eye tril triu tril_indices
triu_indices rand rand_like randn randn_like randint randint_like randperm uniform normal bernoulli exponential
native_dropout
"""

# The same numbers elsewhere, or looked at otherwise.
_MOVED = """
clone copy _to_copy fill zero contiguous lift_fresh_copy resize set _local_scalar_dense _unsafe_view _reshape_alias
_reshape_copy view_as_real view_as_complex transpose t squeeze unsqueeze as_strided detach swapaxes swapdims cat stack
repeat repeat_interleave flip roll unsafe_split unsafe_split_with_sizes split_copy split_with_sizes_copy index
index_select index_put index_copy index_fill gather take embedding where masked_fill masked_select masked_scatter
nonzero scatter slice_scatter select_scatter diagonal_scatter as_strided_scatter unfold_copy im2col
_pack_padded_sequence pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle max_unpool2d max_unpool3d
constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d
replication_pad3d upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d
_upsample_nearest_exact2d _upsample_nearest_exact3d
"""

NO_ARITHMETIC = frozenset((_NEW + _MOVED).split())
"""Operations that only arrange memory; views besides."""
