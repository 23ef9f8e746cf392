"""The network that stands for NAS-Bench-301, from the files of YAHPO Gym (Pfisterer et al., AutoML 2022, arXiv 2109.03670)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optiproxy.errors import DataError
from optiproxy.tables.convert.published import given, parsed
from optiproxy.tables.nasbench301 import INPUTS, PATHS, SCALES
from optiproxy.tables.store.onnx import Tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MODEL, _ENCODING = "nb301_new_model.onnx", "nb301_encoding.json"

_PREFIX = "NetworkSelectorDatasetInfo_COLON_darts_COLON_"
"""Prefix of the inputs' names in the file."""

_CONSTANTS = dict(zip(SCALES, ("160", "195", "201", "203", "205"), strict=True))
"""Scale -> name of the constant in the model, which torch numbered as it wrote the file."""


def convert(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """Take the arrays of the network out of its file.

    Args:
        files: Local name -> content.

    Returns:
        ``emb_K`` the embedding of the K-th input, a row per category; ``LAYER_weight (out, in)`` and ``LAYER_bias (out,)``;
        the scales; ``cat_names (34,)`` the inputs; ``encoding_json`` the row of each category of each input.

    Raises:
        DataError: If a file is missing, damaged, or of another network.
    """
    encoding = _encoding(given(files, _ENCODING))
    arrays = _arrays(Tensors(given(files, _MODEL), file=_MODEL))
    return {**arrays, "cat_names": np.array(list(INPUTS)), "encoding_json": np.array(json.dumps(encoding))}


def _encoding(text: bytes) -> dict[str, dict[str, int]]:
    """Read input -> category -> row, checked against how `optiproxy.tables.nasbench301` numbers them."""
    expected = {name: {category: i for i, category in enumerate(INPUTS[name])} for name in sorted(INPUTS)}
    if parsed(text, _ENCODING) != {_PREFIX + name: rows for name, rows in expected.items()}:
        raise DataError(
            f"Expected other inputs and categories in {_ENCODING} than it has. Get the file again from its source."
        )
    return expected


def _arrays(tensors: Tensors) -> dict[str, NDArray[np.float32]]:
    # Shapes are checked against each other, so that a network of another form is refused here and not at a query.
    widths: list[int] = []
    arrays: dict[str, NDArray[np.float32]] = {}
    for i, names in enumerate(INPUTS.values()):
        arrays[f"emb_{i}"] = tensors.take(f"embds_fct.{i}.weight", (len(names), None))
        widths.append(arrays[f"emb_{i}"].shape[1])
    for path in PATHS:
        # All embeddings side by side, and the epoch.
        inputs = sum(widths) + 1
        for layer in path:
            name = layer.replace("_", ".")
            outputs = 2 if layer == path[-1] else None
            weight = tensors.take(f"{name}.weight", (outputs, inputs))
            inputs = len(weight)
            arrays[f"{layer}_weight"] = weight
            arrays[f"{layer}_bias"] = tensors.take(f"{name}.bias", (inputs,))
    return arrays | {scale: tensors.take(name, ()) for scale, name in _CONSTANTS.items()}
