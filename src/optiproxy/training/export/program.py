"""Networks as `torch.export` programs: one graph of torch's own operations, with the weights."""

from __future__ import annotations

import inspect
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, final

import torch
from torch.fx.experimental.symbolic_shapes import is_concrete_int

from optiproxy.errors import ExportError
from optiproxy.training.costs.forward import Inputs, arguments
from optiproxy.training.costs.quiet import quiet
from optiproxy.training.export.file_format import Loaded

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.export import ExportedProgram


@final
class TorchProgram:
    """A program that `torch.export.load` reads, in Python or in C++."""

    name = "torch"
    filename = "network.pt2"
    use = "`torch.export.load(...).module()` returns the network in evaluation mode; no other code is needed."

    def write(self, network: nn.Module, inputs: Inputs, path: Path) -> None:
        torch.export.save(capture(network, inputs), path)

    def read(self, path: Path) -> Loaded:
        program = torch.export.load(path)
        return Loaded(program.module(), batch=fixed_batch(program))


def capture(network: nn.Module, inputs: Inputs) -> ExportedProgram:
    """The graph of a network in evaluation mode, for any number of rows where the network allows it.

    Args:
        network: Is run a few times.
        inputs: One input, ``(1, ...)``.

    Raises:
        ExportError: If its forward pass depends on values, or does what torch cannot record.
    """
    one = arguments(inputs)
    # One row would be taken for a constant. A network that does not take two is recorded for one.
    two = tuple(torch.cat([tensor, tensor]) if tensor.dim() else tensor for tensor in one)
    # Strict recording is slower and takes less, but lets `len(tensor)` vary, which the other makes a constant.
    for strict in (False, True):
        with suppress(Exception):
            program = _recorded(network, two, rows=torch.export.Dim.AUTO, strict=strict)
            if fixed_batch(program) is None:
                return program
    try:
        return _recorded(network, one, rows=torch.export.Dim.STATIC, strict=False)
    except Exception as error:
        raise ExportError(
            f"torch.export cannot record {type(network).__name__}: {_first_line(error)} "
            "Keep values out of its control flow, or choose another format."
        ) from error


def _recorded(network: nn.Module, inputs: tuple[Tensor, ...], *, rows: object, strict: bool) -> ExportedProgram:
    shapes = tuple({0: rows} if tensor.dim() else None for tensor in inputs)
    # A forward pass that collects its inputs as `*inputs` wants their shapes collected as well.
    kinds = [parameter.kind for parameter in inspect.signature(network.forward).parameters.values()]
    nested = (shapes,) if inspect.Parameter.VAR_POSITIONAL in kinds else shapes
    with quiet():
        return torch.export.export(network, inputs, dynamic_shapes=nested, strict=strict)


def fixed_batch(program: ExportedProgram) -> int | None:
    """The one number of rows that a program takes; None where any will do."""
    names = set(program.graph_signature.user_inputs)
    shapes = [node.meta["val"].shape for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    rows = [shape[0] for shape in shapes if len(shape)]
    return next((int(row) for row in rows if is_concrete_int(row)), None)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0].strip()}"[:200] if lines else type(error).__name__
    return text if text.endswith(".") else text + "."
