"""Networks as Python files that need nothing but torch and the standard library.

`OwnSource` copies the file of the network's class, where that can be built from literals; `StraightLine` writes the recorded
graph of any network down, one line per operation.
"""

from __future__ import annotations

import ast
import inspect
import math
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn
from torch.export.graph_signature import InputKind, OutputKind, TensorArgument
from torch.utils._pytree import tree_unflatten

from optiproxy.errors import ExportError
from optiproxy.training.export.file_format import Loaded
from optiproxy.training.export.graph_files import capture, fixed_batch
from optiproxy.training.forward import Inputs, arguments

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node


WEIGHTS = "weights.pt"

# Behind the copied source, so that it may rely on torch alone being imported: all else is imported inside.
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
        # What is not a literal would need imports that the file has not.
        if ast.literal_eval(text) != self._arguments:
            raise ExportError(f"Expected arguments of {kind.__name__} that can be written as literals, got {text}.")
        shapes = (", ".join(["b", *map(str, tensor.shape[1:])]) for tensor in arguments(inputs))
        end = _LOADER.format(
            arguments=text,
            network=kind.__name__,
            shapes=" and ".join(f"({shape})" for shape in shapes),
            weights=WEIGHTS,
        )
        # The whole file and not the class alone, which needs what stands around it.
        path.write_text(inspect.getsource(sys.modules[kind.__module__]) + end, encoding="utf-8")
        torch.save(network.state_dict(), path.with_name(WEIGHTS))

    def read(self, path: Path) -> Loaded:
        return read_python(path)


def read_python(path: Path) -> Loaded:
    """Run a file that was written here.

    It is not imported, because Python would take the cached module of an earlier export of the same name.
    """
    defined = runpy.run_path(str(path))
    return Loaded(defined["load"](), batch=defined.get("BATCH"))


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
    """Code made from the recorded graph: for any network, whoever wrote its class."""

    name = "python"
    filename = "network.py"
    use = f"Its `load()` returns the trained network, with the weights in {WEIGHTS}, and needs torch alone."

    def write(self, network: nn.Module, inputs: Inputs, path: Path) -> None:
        program = capture(network, inputs)
        tensors = _tensors(program)
        path.write_text(_source(program, type(network).__name__), encoding="utf-8")
        # Plain tensors: the file itself says which of them are parameters.
        torch.save({name: tensor.detach() for name, tensor in tensors.items()}, path.with_name(WEIGHTS))

    def read(self, path: Path) -> Loaded:
        return read_python(path)


def _tensors(program: ExportedProgram) -> dict[str, Tensor]:
    """Map attribute names to the tensors that the graph reads and that are no input: weights, buffers, constants."""
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
    # The nodes of a graph are in the order of execution already.
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
    """Write a node of the graph as a line of code; some need none."""
    match node.op:
        case "placeholder":
            # A weight that no operation reads needs no line; inputs are arguments already.
            given = node.name in program.graph_signature.user_inputs
            return [] if given or not node.users else [f"{node.name} = self.{node.name}"]
        case "call_function":
            told = [_written(argument) for argument in node.args]
            told += [f"{key}={_written(argument)}" for key, argument in node.kwargs.items()]
            return [f"{node.name} = {_function(node.target)}({', '.join(told)})"]
        case "output":
            # Graphs also return buffers that they change, of which evaluation mode has none to keep.
            specs = program.graph_signature.output_specs
            returned = [_returned(spec.arg) for spec in specs if spec.kind is OutputKind.USER_OUTPUT]
            nesting = program.call_spec.out_spec
            assert nesting is not None  # recorded with every program
            return [f"return {_nested(tree_unflatten(returned, nesting))}"]
        case _:
            raise _no_line(node.op)


def _returned(argument: Any) -> str:  # noqa: ANN401 - one of torch's kinds of arguments
    # Beside tensors, outputs may hold None.
    return argument.name if isinstance(argument, TensorArgument) else repr(argument.value)


def _nested(outputs: Any) -> str:  # noqa: ANN401 - names, nested as the network nests its tensors
    """Write what is returned, in the tuples, lists and dicts that hold it."""
    match outputs:
        case str():
            return outputs
        case dict():
            return "{" + ", ".join(f"{key!r}: {_nested(value)}" for key, value in outputs.items()) + "}"
        case list():
            return f"[{', '.join(map(_nested, outputs))}]"
        case _:
            return f"({' '.join(f'{_nested(value)},' for value in outputs)})"


def _function(target: Any) -> str:  # noqa: ANN401 - one of torch's operations, or a function of the standard library
    if isinstance(target, torch._ops.OpOverload):  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - it has no public name
        return f"torch.ops.{target}"
    # Arithmetic on shapes, where the number of rows is left open.
    if getattr(target, "__module__", "") == "_operator":
        return f"operator.{target.__name__}"
    raise _no_line(str(target))


def _written(argument: Any) -> str:  # noqa: ANN401 - whatever a graph may hold
    """Write an argument of an operation as source text."""
    from torch.fx import Node

    match argument:
        case Node():
            return argument.name
        case list() | tuple():
            # torch's operations take a list wherever they take a tuple.
            return f"[{', '.join(map(_written, argument))}]"
        case bool() | int() | str() | None:
            return repr(argument)
        case float():
            # `inf` and `nan` are no literals; attention masks hold them.
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
