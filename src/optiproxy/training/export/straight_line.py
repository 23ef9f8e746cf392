"""Any network as one Python file: its forward pass as a straight line of torch operations."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn
from torch.export.graph_signature import InputKind, OutputKind

from optiproxy.errors import ExportError
from optiproxy.training.costs.forward import Inputs
from optiproxy.training.export.file_format import Loaded
from optiproxy.training.export.program import capture, fixed_batch
from optiproxy.training.export.python_file import WEIGHTS, read_python

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node

_FILE = '''"""{name} in evaluation mode, as a straight line of operations. Needs torch alone."""

from __future__ import annotations

import operator  # noqa: F401 - shapes are computed with it
from pathlib import Path

import torch
from torch import Tensor, nn

BATCH = {batch}
"""The one number of rows that it takes; None where any will do."""

PARAMETERS = {parameters}
"""Attributes of the network that are trainable; its other tensors are fixed."""


class Network(nn.Module):
    """What the file is about. Dropout and normalization are in evaluation mode for good."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            if name in PARAMETERS:
                self.register_parameter(name, nn.Parameter(tensor))
            else:
                self.register_buffer(name, tensor)

    def forward(self, {inputs}):
{lines}


def load() -> Network:
    """The trained network."""
    tensors = torch.load(Path(__file__).with_name("{weights}"), map_location="cpu", weights_only=True)
    return Network(tensors).eval()
'''


@final
class StraightLine:
    """Code that is made from the recorded graph: for any network, whoever wrote its class."""

    name = "python"
    filename = "network.py"
    use = f"Its `load()` returns the trained network, with the weights in {WEIGHTS}, and needs torch alone."

    def write(self, network: nn.Module, inputs: Inputs, path: Path) -> None:
        program = capture(network, inputs)
        tensors = _tensors(program)
        path.write_text(_source(program, type(network).__name__), encoding="utf-8")
        torch.save({name: tensor.detach() for name, tensor in tensors.items()}, path.with_name(WEIGHTS))

    def read(self, path: Path) -> Loaded:
        return read_python(path)


def _tensors(program: ExportedProgram) -> dict[str, Tensor]:
    """Attribute -> the tensor that the graph takes from outside itself and that is no input."""
    found: dict[str, Any] = {
        **dict(program.named_parameters()),
        **dict(program.named_buffers()),
        **program.constants,
    }
    return {
        spec.arg.name: found[spec.target]
        for spec in program.graph_signature.input_specs
        if spec.kind is not InputKind.USER_INPUT and spec.target is not None
    }


def _source(program: ExportedProgram, name: str) -> str:
    signature = program.graph_signature
    parameters = [spec.arg.name for spec in signature.input_specs if spec.kind is InputKind.PARAMETER]
    lines = ["        " + line for node in program.graph.nodes for line in _statement(node, program)]
    return _FILE.format(
        name=name,
        batch=fixed_batch(program),
        parameters="{" + ", ".join(map(repr, sorted(parameters))) + "}" if parameters else "set()",
        inputs=", ".join(f"{name}: Tensor" for name in signature.user_inputs),
        lines="\n".join(lines),
        weights=WEIGHTS,
    )


def _statement(node: Node, program: ExportedProgram) -> list[str]:
    """The line or none that a node of the graph becomes."""
    match node.op:
        case "placeholder":
            given = node.name in program.graph_signature.user_inputs
            return [] if given or not node.users else [f"{node.name} = self.{node.name}"]
        case "call_function":
            told = [_written(argument) for argument in node.args]
            told += [f"{key}={_written(argument)}" for key, argument in node.kwargs.items()]
            return [f"{node.name} = {_function(node.target)}({', '.join(told)})"]
        case "output":
            specs = program.graph_signature.output_specs
            returned = [spec.arg.name for spec in specs if spec.kind is OutputKind.USER_OUTPUT]
            return [f"return {', '.join(returned)}"]
        case _:
            raise _no_line(node.op)


def _function(target: Any) -> str:  # noqa: ANN401 - one of torch's operations, or a function of the standard library
    if isinstance(target, torch._ops.OpOverload):  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - it has no public name
        return f"torch.ops.{target}"
    if getattr(target, "__module__", "") == "_operator":
        return f"operator.{target.__name__}"
    raise _no_line(str(target))


def _written(argument: Any) -> str:  # noqa: ANN401 - whatever a graph may hold
    """An argument of an operation as source text."""
    from torch.fx import Node

    match argument:
        case Node():
            return argument.name
        case list() | tuple():
            return f"[{', '.join(map(_written, argument))}]"
        case bool() | int() | str() | None:
            return repr(argument)
        case float():
            return repr(argument) if math.isfinite(argument) else f"float({str(argument)!r})"
        case torch.dtype() | torch.layout() | torch.memory_format():
            return str(argument)
        case torch.device():
            return f"torch.device({str(argument)!r})"
        case _:
            raise _no_line(type(argument).__name__)


def _no_line(what: str) -> ExportError:
    return ExportError(
        f"The forward pass holds {what}, which is no straight line of operations. Choose another format."
    )
