"""The network that stands for LCBench, from the files of YAHPO Gym (Pfisterer et al., AutoML 2022, arXiv 2109.03670)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from optiproxy.errors import DataError
from optiproxy.tables.convert.published import given, parsed
from optiproxy.tables.lcbench import BLOCKS, INPUTS, OUTPUTS
from optiproxy.tables.store.onnx import Tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MODEL, _ENCODING, _SPACE = "lcbench_model.onnx", "lcbench_encoding.json", "lcbench_config_space.json"

_TASK = "OpenML_task_id"
"""Name of the input that tells the tables apart."""

# Constants of the model, by the names that torch numbered as it wrote the file, in the order of inputs and outputs.
_LOW = ("49", "58", "71", "80", "93", "102", "111", "120")
_RANGE = ("51", "60", "73", "82", "95", "104", "113", "122")
_FACTOR = ("196", "205", "219", "228", "242", "251")
_OFFSET = ("198", "207", "221", "230", "244", "253")

_EPSILON = np.float32(1e-5)
"""What batch normalization adds to a variance."""


def convert(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """Take the arrays of the network out of its file.

    Args:
        files: Local name -> content.

    Returns:
        ``tasks (t,)`` ids of the tables at OpenML, and ``embeddings (t, k)`` of each; ``LAYER_weight`` and ``LAYER_bias`` of the
        first and last layer and of each block: of linear layers ``(out, in)`` and ``(out,)``, of normalizations ``(in,)``
        both; ``input_low`` and ``input_range`` ``(8,)``, ``output_factor`` and ``output_offset`` ``(6,)``.

    Raises:
        DataError: If a file is missing, damaged, or of another network.
    """
    rows = _rows(parsed(given(files, _ENCODING), _ENCODING), parsed(given(files, _SPACE), _SPACE))
    tensors = Tensors(given(files, _MODEL), file=_MODEL)
    embeddings = tensors.take("embds_fct.0.weight", (None, None))
    if max(rows.values()) >= len(embeddings):
        raise DataError(f"Expected {_MODEL} to know every task of {_ENCODING}, and it does not. Get the files again.")
    # Shapes are checked against each other, so that a network of another form is refused here and not at a query.
    arrays = _linear(tensors, "first", "first_layer", embeddings.shape[1] + len(INPUTS))
    width = len(arrays["first_bias"])
    for k in range(BLOCKS):
        gated = _linear(tensors, f"gated_{k}", f"layers.{k}.linear0", width)
        inner = len(gated[f"gated_{k}_bias"]) // 2  # one half of the values gates the other
        arrays |= gated | _norm(tensors, f"norm_{k}", f"layers.{k}.norm", width)
        arrays |= _linear(tensors, f"out_{k}", f"layers.{k}.linear1", inner, width)
    arrays |= _norm(tensors, "norm_last", "last_normalization", width)
    arrays |= _linear(tensors, "head", "head", width, len(OUTPUTS))
    scales = {"input_low": _LOW, "input_range": _RANGE, "output_factor": _FACTOR, "output_offset": _OFFSET}
    arrays |= {key: np.stack([tensors.take(name, ()) for name in names]) for key, names in scales.items()}
    return {"tasks": np.array(list(rows)), "embeddings": embeddings[list(rows.values())], **arrays}


def _rows(encoding: object, space: object) -> dict[str, int]:
    """Return the row of the embedding of each task, in the order of the tasks' numbers.

    The encoding has rows of which the network saw no training; only the space of configurations says which.
    """
    try:
        rows = cast("Any", encoding)[_TASK]
        (tasks,) = (entry["choices"] for entry in cast("Any", space)["hyperparameters"] if entry["name"] == _TASK)
        found = {str(task): rows[task] for task in sorted(tasks, key=int)}
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(
            f"Expected the tasks of {_SPACE} with their rows in {_ENCODING}, and they are not there. Get the files again."
        ) from error
    if not found or not all(type(row) is int and row >= 0 for row in found.values()):
        raise DataError(f"Expected row numbers in {_ENCODING}, and there are other values. Get the file again.")
    return found


def _linear(
    tensors: Tensors, name: str, published: str, inputs: int, outputs: int | None = None
) -> dict[str, NDArray[np.float32]]:
    weight = tensors.take(f"{published}.weight", (outputs, inputs))
    return {f"{name}_weight": weight, f"{name}_bias": tensors.take(f"{published}.bias", (len(weight),))}


def _norm(tensors: Tensors, name: str, published: str, width: int) -> dict[str, NDArray[np.floating]]:
    """Join what a normalization has learned with the mean and variance that it has seen: one factor, one summand."""
    weight, bias, mean, variance = (
        tensors.take(f"{published}.{part}", (width,)) for part in ("weight", "bias", "running_mean", "running_var")
    )
    factor = weight / np.sqrt(variance + _EPSILON)
    return {f"{name}_weight": factor, f"{name}_bias": bias - mean * factor}
