"""A process that suggests architectures, spoken to in lines of JSON. See `servers/serving.py` for the other end."""

from __future__ import annotations

import json
import math
import os
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, final

from optiproxy.errors import PackageError

_SERVING = Path(__file__).parent / "servers" / "serving.py"


@final
class Server:
    """Answers questions one at a time; started by the first, and anew by the next one after it has failed.

    It keeps nothing between questions, so one process serves any number of searches in turn. It ends with this object
    and with this process, which it notices by the end of its input.

    Args:
        python: The interpreter that has the package.
        script: The file of the algorithm, one of `servers`.
        timeout: Seconds until an answer is given up.
    """

    def __init__(self, python: Path, script: Path, *, timeout: float = 600.0) -> None:
        self._python = python
        self._script = script
        self._timeout = timeout
        self._running: _Process | None = None
        self._lock = threading.Lock()

    def suggestions(self, question: Mapping[str, Any]) -> Generator[tuple[float, ...], None, None]:
        """Yield what the package suggests, asked one by one; others wait until the generator is closed.

        Raises:
            PackageError: If the process cannot be started, ends, takes too long, fails, or answers what is no answer.
        """
        with self._lock:
            chosen = self._ask(question)
            while chosen is not None:
                yield chosen
                chosen = self._ask({"next": True})

    def close(self) -> None:
        """End the process, if it runs."""
        if self._running is not None:
            self._running.end()
            self._running = None

    def _ask(self, message: Mapping[str, Any]) -> tuple[float, ...] | None:
        # JSON knows no infinity; what is not finite has been replaced before.
        line = json.dumps(message, allow_nan=False)
        try:
            if self._running is None:
                self._running = _Process.start(self._python, self._script)
            answer = _read(self._running.exchange(line, timeout=self._timeout))
        except _Broken as broken:
            # A process that broke the protocol once is not trusted again; the next question starts another.
            trouble = f"{broken}{self._running.last_words() if self._running else ''}"
            self.close()
            raise PackageError(
                f"{self._script.stem}, run by {self._python}, {trouble}. Build its environment again with `make bench-env`."
            ) from broken
        failure = answer.get("failure")
        if failure is not None:
            raise PackageError(f"{self._script.stem} failed: {failure}. Choose another algorithm for this task.")
        chosen = answer["chosen"]
        return None if chosen is None else tuple(chosen)


class _Broken(Exception):
    """What went wrong, to be put after the name of the server."""


def _read(line: str) -> dict[str, Any]:
    """Read an answer, and check that it is one.

    Raises:
        _Broken: If it is not.
    """
    try:
        answer: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _Broken(f"answered what is no JSON: {line[:80]!r}") from error
    if isinstance(answer, dict):
        chosen: Any = answer.get("chosen", ())
        if chosen is None or "failure" in answer:
            return answer
        if isinstance(chosen, list) and "chosen" in answer and all(map(_is_number, chosen)):
            return answer
    raise _Broken(f"answered something else than a list of numbers: {line[:80]!r}")


def _is_number(found: object) -> bool:
    # Python's JSON reads NaN and infinities, which stand nowhere, and booleans count as whole numbers.
    return type(found) is int or (type(found) is float and math.isfinite(found))


@final
@dataclass(frozen=True)
class _Process:
    popen: subprocess.Popen[str]
    folder: tempfile.TemporaryDirectory[str]
    said: IO[str]

    @classmethod
    def start(cls, python: Path, script: Path) -> Self:
        """Start it in a folder of its own, because some packages write where they are.

        Raises:
            _Broken: If there is no such interpreter.
        """
        folder = tempfile.TemporaryDirectory(prefix="optiproxy-")
        # What it says of itself goes to a file, which never fills up as a pipe would.
        said = (Path(folder.name) / "stderr").open("w+", encoding="utf-8", errors="replace")
        # One thread, like every other algorithm of a comparison.
        alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        # As isolated as by -I, which would ignore the seed too: some packages go through sets, whose order is that of
        # hashes.
        outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        try:
            popen = subprocess.Popen(  # noqa: S603 - an interpreter that we built, or that a test names
                [str(python), "-P", "-s", str(_SERVING), str(script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd=folder.name,
                env={**outside, **alone, "PYTHONHASHSEED": "0"},
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            said.close()
            folder.cleanup()
            raise _Broken(f"cannot be started: {error.strerror or error}") from error
        process = cls(popen, folder, said)
        weakref.finalize(process, _end, popen, folder, said)
        return process

    def exchange(self, line: str, *, timeout: float) -> str:
        """Send a line and receive one.

        Raises:
            _Broken: If the process has ended or takes longer than ``timeout`` seconds.
        """
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        expired = threading.Event()

        def give_up() -> None:
            expired.set()
            self.popen.kill()

        # Killing it ends whatever we wait for, be it that it reads or that it answers.
        timer = threading.Timer(timeout, give_up)
        timer.start()
        try:
            self.popen.stdin.write(line + "\n")
            self.popen.stdin.flush()
            answer = self.popen.stdout.readline()
        except OSError:
            answer = ""
        finally:
            timer.cancel()
        if answer.endswith("\n"):
            return answer
        if expired.is_set():
            raise _Broken(f"gave no answer within {timeout:g} seconds")
        raise _Broken(f"ended with exit code {self.popen.wait()}")

    def last_words(self) -> str:
        """Return the last line that it said of itself, to be put at the end of a sentence."""
        self.said.flush()
        self.said.seek(0)
        lines = self.said.read().split("\n")
        return next((f" ({line.strip()[:200]})" for line in reversed(lines) if line.strip()), "")

    def end(self) -> None:
        """Kill it and remove what it left."""
        _end(self.popen, self.folder, self.said)


def _end(popen: subprocess.Popen[str], folder: tempfile.TemporaryDirectory[str], said: IO[str]) -> None:
    popen.kill()
    for stream in (popen.stdin, popen.stdout, said):
        if stream is not None:
            # What was still to be written has no reader any more.
            with suppress(OSError):
                stream.close()
    popen.wait()
    folder.cleanup()
