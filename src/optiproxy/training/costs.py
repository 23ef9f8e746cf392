"""What a network costs, known without training it: parameters, operations, memory, latency here or on a device."""

from __future__ import annotations

import math
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from optiproxy.errors import DeviceError, UsageError
from optiproxy.spaces.building.dry_run import has_lazy_weights
from optiproxy.task.quiet import quiet
from optiproxy.training.export.file_format import FileFormat
from optiproxy.training.export.graph_files import OnnxFile
from optiproxy.training.export.graph_files import onnx_latency as onnx_latency
from optiproxy.training.flops import flops as flops
from optiproxy.training.forward import Inputs, computation, evaluating
from optiproxy.training.forward import Memory as Memory
from optiproxy.training.forward import memory as memory
from optiproxy.training.latency import Latency as Latency
from optiproxy.training.latency import latency as latency
from optiproxy.training.latency import measuring_device
from optiproxy.training.repeating import Precision
from optiproxy.training.repeating import Repeated as Repeated

if TYPE_CHECKING:
    from torch import nn


def parameters(network: nn.Module) -> int:
    """Count the trainable weights.

    Raises:
        UsageError: If a lazy module has met no input yet, so that its weights have no shape.
    """
    if has_lazy_weights(network):
        raise UsageError(
            f"{type(network).__name__} has lazy modules whose weights have no shape yet. Run an input through it first, or use "
            "optiproxy.Costs(example).params."
        )
    # Weights that several layers share are listed once.
    return sum(weights.numel() for weights in network.parameters() if weights.requires_grad)


@dataclass(frozen=True)
class Costs(Precision):
    """Free metrics of a user's own networks, each a function of the network alone.

    Example::

        costs = optiproxy.Costs(torch.zeros(1, 3, 32, 32), judged_by="p90")
        optiproxy.search(
            space,
            train,
            budget=40,
            free={"params": costs.params, "latency_ms": costs.latency_ms},
            limits=["params<=1e6", "latency_ms<=2"],
        )

    Latency is measured call by call until a 95 % interval of the median is small or the time is over, and while no worker of
    the search trains. Where the time is over first, a `SpreadWarning` says so once, with the spread.

    Attributes:
        example: One input of every network, ``(1, ...)``; several as a tuple. Lazy modules are materialized with it.
        threads: Threads that latency is measured with.
        device: Where latency is measured: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``; None means where the example is.
        tolerance: Largest half-width of a 95 % interval of the median latency, relative to it, to be content with.
        seconds: Time limit of a measurement of latency, warming up aside.
        judged_by: The latency that is recorded and judged by limits: ``"median"``, or ``"p90"``, which nine of ten calls keep.

    Raises:
        UsageError: If a number is not positive, or there is no such device or value.
    """

    example: Inputs
    threads: int = 1
    device: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.threads < 1:
            raise UsageError(f"Expected at least 1 thread, got {self.threads}.")
        if self.device is not None:
            measuring_device(self.device)

    def params(self, network: nn.Module) -> float:
        """Count the trainable weights, those of lazy modules after the example has passed."""
        with evaluating(network, self.example):
            return float(parameters(network))

    def flops(self, network: nn.Module) -> float:
        """Count the floating-point operations of one forward pass; a multiply-add counts as two."""
        return float(flops(network, self.example))

    def memory_mb(self, network: nn.Module) -> float:
        """Measure the peak of weights and activations that live at once, in 10^6 bytes."""
        # Megabytes of 10^6 bytes, as data sheets of devices count them.
        return memory(network, self.example).peak / 1e6

    def weights_mb(self, network: nn.Module) -> float:
        """Measure what parameters and buffers take, in 10^6 bytes: about the size of the file."""
        return memory(network, self.example).weights / 1e6

    def activations_mb(self, network: nn.Module) -> float:
        """Measure the peak of inputs and activations that live at once in one forward pass, in 10^6 bytes."""
        return memory(network, self.example).activations / 1e6

    def latency(self, network: nn.Module) -> Latency:
        """Time forward passes in torch on this machine: median, p90, spread and number of calls.

        Raises:
            UsageError: If the example is on a device that latency is not measured on.
        """
        return latency(
            network,
            self.example,
            threads=self.threads,
            seconds=self.seconds,
            tolerance=self.tolerance,
            device=self.device,
        )

    def computation(self, network: nn.Module) -> str:
        """Reduce what times depend on to a digest: a search times networks once that differ in nothing of it.

        Raises:
            Exception: Whatever the network raises.
        """
        return sha256(computation(network, self.example).encode()).hexdigest()

    @quiet
    def latency_ms(self, network: nn.Module) -> float:
        """Measure the time of one forward pass in torch on this machine, in milliseconds.

        Raises:
            UsageError: As `latency`.

        Warns:
            SpreadWarning: Once, if the time limit comes before the tolerance.
        """
        return self.judged(self.latency(network), "latency_ms")

    @quiet
    def onnx_latency_ms(self, network: nn.Module) -> float:
        """Measure the time of one forward pass in ONNX Runtime on this machine's processor, in milliseconds.

        The network is exported first, which takes seconds.

        Raises:
            UsageError: If the extra ``onnx`` is not installed, or the network cannot be exported.

        Warns:
            SpreadWarning: As `latency_ms`.
        """
        found = onnx_latency(
            network, self.example, threads=self.threads, seconds=self.seconds, tolerance=self.tolerance
        )
        return self.judged(found, "onnx_latency_ms")


MODEL = "{model}"


def one_number(output: str) -> float:
    """Read the number that a command printed, alone.

    Raises:
        ValueError: If it printed anything else.
    """
    return float(output.strip())


@dataclass(frozen=True)
class DeviceRunner:
    """A free metric that your own command measures: over ssh, adb, or a script beside you.

    Example::

        board = optiproxy.DeviceRunner("./measure-on-board.sh {model}", example=torch.zeros(1, 3, 32, 32), timeout=120)
        optiproxy.search(space, train, budget=40, free={"latency_ms": board}, limits=["latency_ms<=5"])

    Args:
        command: Run once per network, without a shell; ``{model}`` stands for the path of the exported file.
        example: One input of every network, ``(1, ...)``; several as a tuple.
        timeout: Seconds after which the command and all that it started are stopped.
        parse: Takes what the command printed and returns the measurement; by default it prints one number alone.
        file_format: Format of the exported file; ONNX by default, `optiproxy.training.export.graph_files.TorchProgram`
            for torch.

    Raises:
        UsageError: If the command has no ``{model}``, or the timeout is not positive.
    """

    command: str
    example: Inputs
    timeout: float = 60.0
    parse: Callable[[str], float] = one_number
    file_format: FileFormat = field(default_factory=OnnxFile)

    def __post_init__(self) -> None:
        if MODEL not in self.command:
            raise UsageError(f"Expected a command with {MODEL} where the file's path belongs, got {self.command!r}.")
        if not self.timeout > 0:
            raise UsageError(f"Expected a timeout of more than 0 seconds, got {self.timeout:g}.")

    def __call__(self, network: nn.Module) -> float:
        """Measure one network.

        Raises:
            ExportError: If the network cannot be exported.
            DeviceError: If the command fails, hangs, or prints no measurement.
        """
        # Removed afterwards: a search measures hundreds of networks.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / self.file_format.filename
            with evaluating(network, self.example):
                self.file_format.write(network, self.example, path)
            # A word of the command stays one word, whatever the path holds.
            words = [word.replace(MODEL, str(path)) for word in shlex.split(self.command)]
            printed = _output(words, timeout=self.timeout)
        try:
            value = float(self.parse(printed))
        # A function of the user's may raise anything.
        except Exception as error:
            raise DeviceError(
                f"Expected a measurement from {self.command!r}, got {_shown(printed)}. "
                "Let it print one number, or give a parse function."
            ) from error
        # `float` takes "nan" and "inf" for numbers, too.
        if not math.isfinite(value):
            raise DeviceError(f"Expected a finite measurement from {self.command!r}, got {value}.")
        return value


def _output(words: Sequence[str], *, timeout: float) -> str:
    """Run a command and return what it printed; it and all that it started are gone afterwards.

    Raises:
        DeviceError: If it cannot start, fails or takes too long.
    """
    try:
        # A group of its own, so that what it starts can be stopped with it; bytes, so that rubbish cannot fail to decode.
        process = subprocess.Popen(  # noqa: S603 - running the user's own command is what this is for
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise DeviceError(
            f"Cannot run {words[0]!r}: {error.strerror or error}. Check the command that measures."
        ) from error
    # Closes the pipes at its end, whatever happens in between.
    with process:
        try:
            printed, told = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise DeviceError(
                f"The command {shlex.join(words)!r} gave no measurement within {timeout:g} seconds and was stopped. "
                "Check the device, or allow more time."
            ) from error
        finally:
            if process.returncode is None:
                _stop(process)
    if process.returncode:
        raise DeviceError(
            f"The command {shlex.join(words)!r} failed with exit code {process.returncode}: "
            f"{_shown(told.decode(errors='replace'))}. Check the device."
        )
    return printed.decode(errors="replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a command that nobody has waited for, with all that it started."""
    if os.name == "posix":
        with suppress(ProcessLookupError):
            # The whole group: a shell script's children would go on measuring.
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _shown(text: str) -> str:
    # What a command printed may be a page long; an error message is one line.
    line = " ".join(text.split())
    return repr(line[:120]) if line else "nothing"
