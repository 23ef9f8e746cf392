"""Networks as Python files that need nothing but torch and the standard library."""

from __future__ import annotations

import ast
import inspect
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import final

import torch
from torch import nn

from optiproxy.errors import ExportError
from optiproxy.training.costs.forward import Inputs, arguments
from optiproxy.training.export.file_format import Loaded

WEIGHTS = "weights.pt"

_LOADER = '''

ARGUMENTS = {arguments}
"""What the search found, as the arguments of `{network}`."""


def build() -> {network}:
    """The network with new weights, to be trained."""
    return {network}(**ARGUMENTS)


def load() -> {network}:
    """The trained network, in evaluation mode; it takes inputs of shape {shapes}."""
    from pathlib import Path

    network = build()
    network.load_state_dict(torch.load(Path(__file__).with_name("{weights}"), map_location="cpu", weights_only=True))
    return network.eval()
'''


@final
class OwnSource:
    """The source file of the network's own class, with what rebuilds this network at its end.

    Args:
        arguments: ``type(network)(**arguments)`` builds it untrained; the class lies in a file that imports nothing but
            torch and the standard library.
    """

    name = "python"
    filename = "network.py"
    use = f"Its `load()` returns the trained network, with the weights in {WEIGHTS}; `build()` one to train."

    def __init__(self, arguments: Mapping[str, object]) -> None:
        self._arguments = dict(arguments)

    def write(self, network: nn.Module, inputs: Inputs, path: Path) -> None:
        kind = type(network)
        text = repr(self._arguments)
        if ast.literal_eval(text) != self._arguments:
            raise ExportError(f"Expected arguments of {kind.__name__} that can be written as literals, got {text}.")
        shapes = (", ".join(["b", *map(str, tensor.shape[1:])]) for tensor in arguments(inputs))
        end = _LOADER.format(
            arguments=text,
            network=kind.__name__,
            shapes=" and ".join(f"({shape})" for shape in shapes),
            weights=WEIGHTS,
        )
        path.write_text(inspect.getsource(sys.modules[kind.__module__]) + end, encoding="utf-8")
        torch.save(network.state_dict(), path.with_name(WEIGHTS))

    def read(self, path: Path) -> Loaded:
        return read_python(path)


def read_python(path: Path) -> Loaded:
    """Run a file that was written here; nothing of it is cached, so that a new file is never taken for an old one."""
    defined = runpy.run_path(str(path))
    return Loaded(defined["load"](), batch=defined.get("BATCH"))
