"""Networks as recorded graphs with their weights: `torch.export` programs, and ONNX files that are written from them."""

from __future__ import annotations

import inspect
import io
import logging
import re
import tempfile
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn
from torch.fx.experimental.symbolic_shapes import is_concrete_int

from optiproxy.errors import ExportError, UsageError
from optiproxy.training.export.file_format import Loaded, first_line
from optiproxy.training.export.outputs import check_outputs, output_names, plainly
from optiproxy.training.forward import Inputs, arguments, evaluating
from optiproxy.training.latency import PRECISION, Latency, timed

if TYPE_CHECKING:
    from torch.export import ExportedProgram


@final
class TorchProgram:
    """A program that `torch.export.load` reads, in Python or in C++."""

    name = "torch"
    filename = "network.pt2"
    use = "`torch.export.load(...).module()` returns the network in evaluation mode; no other code is needed."

    def write(self, network: nn.Module, inputs: Inputs, path: Path) -> None:
        program = capture(network, inputs)
        try:
            torch.export.save(program, path)
        except OSError:
            raise
        except Exception as error:
            raise ExportError(
                f"torch.export cannot save {type(network).__name__}: {first_line(error)} Choose another format."
            ) from error

    def read(self, path: Path) -> Loaded:
        with _quiet():
            program = torch.export.load(path)
        return Loaded(program.module(), batch=fixed_batch(program))


_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


@final
class OnnxFile:
    """One file with the weights inside, for ONNX Runtime and what else reads ONNX.

    Args:
        threads: Threads that ONNX Runtime uses when it reads the file back.
    """

    name = "onnx"
    filename = "network.onnx"
    use = "`onnxruntime.InferenceSession` runs it, and so does what else reads ONNX."

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads

    def write(self, network: nn.Module, inputs: Inputs, path: Path) -> None:
        _check_packages()
        program = capture(network, inputs)
        try:
            with _quiet():
                written: Any = torch.onnx.export(program, (), dynamo=True, verbose=False)
                _name_outputs(written.model.graph, output_names(network(*arguments(inputs))))
                _name_rows(written.model.graph)
                written.save(path, external_data=False)
        except OSError:
            raise
        except Exception as error:
            # torch puts a page of advice before the cause.
            cause = error.__cause__ or error
            reason = " ".join(str(cause).split())[:200]
            raise ExportError(
                f"torch.onnx cannot write {type(network).__name__}: {reason}. Choose another format."
            ) from error

    def read(self, path: Path) -> Loaded:
        _check_packages()
        onnxruntime: Any = import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        # What it would print it raises as well.
        options.log_severity_level = 4
        options.intra_op_num_threads = options.inter_op_num_threads = self._threads
        # Named, because onnxruntime would otherwise take an accelerator where its build has one.
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        taken = session.get_inputs()

        def call(*inputs: Tensor) -> tuple[Tensor, ...]:
            feed = {entry.name: tensor.numpy() for entry, tensor in zip(taken, inputs, strict=True)}
            return tuple(map(torch.from_numpy, session.run(None, feed)))

        # An axis that is left open has a name here instead of a number.
        rows = [entry.shape[0] for entry in taken if entry.shape]
        return Loaded(call, batch=next((row for row in rows if isinstance(row, int)), None))


def _name_outputs(graph: Any, names: Sequence[str]) -> None:  # noqa: ANN401 - of a package that need not be there
    """Call the outputs what the network calls them, where nothing else in the graph is called so."""
    outputs = graph.outputs
    taken = {value.name for node in graph for value in node.outputs}
    taken |= {value.name for value in graph.inputs} | set(graph.initializers)
    # An output that is returned twice, or that is an input, has its name already.
    made = {id(value) for value in outputs if value.producer() is not None}
    if len(made) == len(outputs) == len(names) and taken.isdisjoint(names):
        for value, name in zip(outputs, names, strict=True):
            value.name = name


def _name_rows(graph: Any) -> None:  # noqa: ANN401 - of a package that need not be there
    """Call the number of rows ``batch`` where it is left open, for which torch has names like ``s31``."""
    values = [*graph.inputs, *graph.outputs, *(value for node in graph for value in node.outputs)]
    axes = [(value.shape, i) for value in values if value.shape is not None for i in range(len(value.shape))]
    named = {str(entry.shape[0].value) for entry in graph.inputs if entry.shape and not isinstance(entry.shape[0], int)}
    for shape, i in axes:
        text = "" if isinstance(shape[i], int) else str(shape[i].value)
        for name in named & set(re.findall(r"\w+", text)):
            shape[i] = text = re.sub(rf"\b{re.escape(name)}\b", "batch", text)


def onnx_latency(
    network: nn.Module,
    example: Inputs,
    *,
    threads: int = 1,
    seconds: float = PRECISION.seconds,
    tolerance: float = PRECISION.tolerance,
) -> Latency:
    """Export a network and time it in ONNX Runtime on this machine; the export takes seconds.

    Args:
        network: Measured in evaluation mode.
        example: One input, ``(1, ...)``.
        threads: Threads that ONNX Runtime may use.
        seconds: Time limit of the measurement, warming up aside.
        tolerance: As for `optiproxy.training.latency.latency`.

    Raises:
        UsageError: If the extra ``onnx`` is not installed.
        ExportError: If the network cannot be exported.
    """
    onnx = OnnxFile(threads=threads)
    with tempfile.TemporaryDirectory() as folder, evaluating(network, example) as inputs:
        path = Path(folder) / onnx.filename
        onnx.write(network, example, path)
        loaded = onnx.read(path)
        return timed(lambda: loaded.call(*inputs), seconds=seconds, tolerance=tolerance)


def _check_packages() -> None:
    # All that are missing at once, so that nobody installs them one by one.
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f"ONNX needs {', '.join(missing)}. Install the extra: pip install 'optiproxy[onnx]'.")


def capture(network: nn.Module, inputs: Inputs) -> ExportedProgram:
    """Record the graph of a network in evaluation mode, for any number of rows where the network allows it.

    Args:
        network: Is run a few times.
        inputs: One input, ``(1, ...)``.

    Raises:
        ExportError: If its forward pass depends on values, does what torch cannot record, or returns other things than
            tensors.
    """
    one = arguments(inputs)
    try:
        check_outputs(network(*one))
    except ExportError:
        raise
    except Exception as error:
        raise ExportError(
            f"{type(network).__name__} does not take its example of shape {_shapes(one)}: {first_line(error)} Give one that "
            "it takes."
        ) from error
    # One row would be taken for a constant. A network that does not take two is recorded for one.
    two = tuple(torch.cat([tensor, tensor]) if tensor.dim() else tensor for tensor in one)
    # Strict recording is slower and takes fewer networks, but lets `len(tensor)` vary, which the other makes a constant.
    for strict in (False, True):
        with suppress(Exception):
            program = _recorded(network, two, rows=torch.export.Dim.AUTO, strict=strict)
            # torch may fix the number of rows without a word, although it was left open.
            if fixed_batch(program) is None:
                return program
    try:
        return _recorded(network, one, rows=torch.export.Dim.STATIC, strict=False)
    except Exception as error:
        raise ExportError(
            f"torch.export cannot record {type(network).__name__}: {first_line(error)} "
            "Keep values out of its control flow, or choose another format."
        ) from error


def _recorded(network: nn.Module, inputs: tuple[Tensor, ...], *, rows: object, strict: bool) -> ExportedProgram:
    shapes = tuple({0: rows} if tensor.dim() else None for tensor in inputs)
    # A forward pass that collects its inputs as `*inputs` wants their shapes collected as well.
    kinds = [parameter.kind for parameter in inspect.signature(network.forward).parameters.values()]
    nested = (shapes,) if inspect.Parameter.VAR_POSITIONAL in kinds else shapes
    with _quiet(), plainly(network):
        return torch.export.export(network, inputs, dynamic_shapes=nested, strict=strict)


def _shapes(inputs: Sequence[Tensor]) -> str:
    return " and ".join(str(tuple(tensor.shape)) for tensor in inputs)


def fixed_batch(program: ExportedProgram) -> int | None:
    """Return the one number of rows that a program takes; None where any will do."""
    names = set(program.graph_signature.user_inputs)
    shapes = [node.meta["val"].shape for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    rows = [shape[0] for shape in shapes if len(shape)]
    return next((int(row) for row in rows if is_concrete_int(row)), None)


@contextmanager
def _quiet() -> Generator[None]:
    """Run the body without warnings, log messages and printed graphs; exceptions pass through.

    What torch finds doubtful while it records a network is settled by comparing the answers.
    """
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
