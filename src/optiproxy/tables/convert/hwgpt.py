"""The networks of HW-GPT-Bench (Sukthanker et al. 2024, arXiv 2405.10299) that predict, from files of torch."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optiproxy.errors import DataError
from optiproxy.spaces.published.gpt import FAMILIES
from optiproxy.tables.convert.published import given
from optiproxy.tables.hwgpt import DEPTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FILES = {
    "perplexity": "hwgpt_perplexity_{}.pt",
    "params": "hwgpt_params_{}.pth",
    "memory": "hwgpt_bfloat16_memory_{}.pth",
}
"""What is predicted -> the file of a family."""


def convert(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """Take the weights of all networks out of their files.

    Args:
        files: Local name -> content.

    Returns:
        ``WHAT_FAMILY_K_weight (out, in)`` and ``WHAT_FAMILY_K_bias (out,)`` of the K-th layer, from 0.

    Raises:
        DataError: If a file is missing, damaged, or of another network.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for what, pattern in _FILES.items():
        for family, known in FAMILIES.items():
            layers = max(known.layers)
            # Three choices for each of two numbers and of two per layer, and two for the bias; or a number for each.
            inputs = 3 * (2 + 2 * layers) + 2 if what == "perplexity" else 2 + 2 * layers + 1
            name = pattern.format(family)
            network = _network(given(files, name), name, inputs)
            arrays |= {f"{what}_{family}_{key}": array for key, array in network.items()}
    return arrays


def _network(content: bytes, name: str, inputs: int) -> dict[str, NDArray[np.float32]]:
    import torch

    arrays: dict[str, NDArray[np.float32]] = {}
    try:
        # Containers and tensors alone; anything else that the file names is refused by torch.
        tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        for k in range(DEPTH):
            for part in ("weight", "bias"):
                arrays[f"{k}_{part}"] = tensors[f"fc{k + 1}.{part}"].numpy()
    except Exception as error:
        # A damaged file can fail in almost any way. What torch says is left out: it advises to trust the file.
        raise DataError(
            f"Expected a network of {DEPTH} layers in {name}. Get the file again from its source."
        ) from error
    # Shapes are checked against each other, so that a network of another form is refused here and not at a query.
    for k in range(DEPTH):
        weight, bias = arrays[f"{k}_weight"], arrays[f"{k}_bias"]
        outputs = len(bias) if k < DEPTH - 1 else 1
        fits = weight.shape == (outputs, inputs) and bias.shape == (outputs,)
        if not fits or not all(a.dtype == np.float32 and np.isfinite(a).all() for a in (weight, bias)):
            raise DataError(
                f"Expected finite 32-bit weights from {inputs} to {outputs} in layer {k + 1} of {name}. "
                "Get the file again from its source."
            )
        inputs = outputs
    return arrays
