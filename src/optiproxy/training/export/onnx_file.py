"""Networks as ONNX files, written by torch and run by ONNX Runtime."""

from __future__ import annotations

import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from optiproxy.errors import ExportError, UsageError
from optiproxy.training.costs.forward import Inputs, arguments, evaluating
from optiproxy.training.costs.latency import Latency, timed
from optiproxy.training.costs.quiet import quiet
from optiproxy.training.export.file_format import Loaded
from optiproxy.training.export.program import capture

_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


@final
class OnnxFile:
    """One file with the weights inside, for ONNX Runtime and what else reads ONNX.

    Args:
        threads: That ONNX Runtime uses when it reads the file back.
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
            with quiet():
                torch.onnx.export(program, (), path, dynamo=True, external_data=False, verbose=False)
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
        options.intra_op_num_threads = options.inter_op_num_threads = self._threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        taken = session.get_inputs()

        def call(*inputs: Tensor) -> tuple[Tensor, ...]:
            feed = {entry.name: tensor.numpy() for entry, tensor in zip(taken, inputs, strict=True)}
            return tuple(map(torch.from_numpy, session.run(None, feed)))

        rows = [entry.shape[0] for entry in taken if entry.shape]
        return Loaded(call, batch=next((row for row in rows if isinstance(row, int)), None))


def onnx_latency(network: nn.Module, example: Inputs, *, threads: int = 1, seconds: float = 0.05) -> Latency:
    """Export a network and time it in ONNX Runtime on this machine; the export takes seconds.

    Args:
        network: Measured in evaluation mode.
        example: One input, ``(1, ...)``.
        threads: That ONNX Runtime may use.
        seconds: To spend on the measurement at least.

    Raises:
        UsageError: If the extra ``onnx`` is not installed.
        ExportError: If the network cannot be exported.
    """
    onnx = OnnxFile(threads=threads)
    with tempfile.TemporaryDirectory() as folder, evaluating(network):
        path = Path(folder) / onnx.filename
        onnx.write(network, example, path)
        loaded = onnx.read(path)
        return timed(lambda: loaded.call(*arguments(example)), seconds=seconds)


def _check_packages() -> None:
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f"ONNX needs {', '.join(missing)}. Install the extra: pip install 'optiproxy[onnx]'.")
