"""A search in a process of its own that faults are done to, and what became of it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from optiproxy.errors import StudyError
from optiproxy.searching.load import load
from optiproxy.storage.record import Record

SUBJECT = Path(__file__).parent / "subject.py"
MARK = "OPTIPROXY_FAULT"
"""Environment variable by which every process that a search has started is known."""

START = 300.0
"""Seconds that a search may take to return its first results, on a machine that does other things, too."""


@dataclass
class Attacked:
    """One study, searched by one process after another.

    Attributes:
        folder: Where everything is.
        storage: Of the study.
        budget: Of the search.
        options: For ``subject.py``.
        prefix: What the command begins with.
        mark: In the environment of all its processes.
        stored: What was ever seen to have been stored.
        lost: How many of these were no longer there.
        told: The last line that each process has said.
        kept: What the study held, where its storage does not outlive the fault; else None.
    """

    folder: Path
    storage: str
    budget: int
    options: dict[str, Any] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    stored: set[tuple[int, ...]] = field(default_factory=set)
    lost: int = 0
    told: list[str] = field(default_factory=list)
    kept: list[Record] | None = None

    def start(self, **options: object) -> subprocess.Popen[str]:
        """Begin or resume the search, in a session of its own."""
        given = json.dumps({"budget": self.budget, **self.options, **options})
        return subprocess.Popen(  # noqa: S603 - our own command
            [*self.prefix, sys.executable, str(SUBJECT), str(self.folder), self.storage, given],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, MARK: self.mark},
        )

    def ended(self, process: subprocess.Popen[str], timeout: float = 3600.0) -> int:
        """Wait for the end of a search, and look what the study holds."""
        _, said = process.communicate(timeout=timeout)
        self.told.append((said.strip().splitlines() or [""])[-1])
        self.look()
        return process.returncode

    def look(self) -> None:
        """Compare the study with what it has held before."""
        now = {record.architecture for record in self.records()}
        self.lost += len(self.stored - now)
        self.stored = now

    def records(self) -> list[Record]:
        """What the study holds; nothing where there is none."""
        if self.kept is not None:
            return self.kept
        with contextlib.suppress(StudyError):
            return list(load(self.storage, "s").records)
        return []

    def returned(self) -> Counter[tuple[int, ...]]:
        """How often each architecture's training has come to its end."""
        path = self.folder / "returned"
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter(tuple(map(int, line.split())) for line in lines)

    def await_results(self, more: int, process: subprocess.Popen[str]) -> bool:
        """Wait until so many more trainings have returned; whether the search still runs then."""
        wanted, deadline = self.returned().total() + more, time.monotonic() + START
        while process.poll() is None and self.returned().total() < wanted and time.monotonic() < deadline:
            time.sleep(0.01)
        return process.poll() is None

    def processes(self) -> list[psutil.Process]:
        """All that runs and was started by these searches."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def left(self) -> int:
        """How many processes outlive the searches; they are ended."""
        time.sleep(2.0)
        found = self.processes()
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        return len(found)

    def row(self, fault: str, count: int, seconds: float) -> dict[str, Any]:
        """What became of it, as a row of the table."""
        records, left = self.records(), self.left()
        architectures = [record.architecture for record in records]
        # By its own fault or none: whatever ended from outside has not returned.
        own = {r.architecture for r in records if r.state != "failed" or r.traceback}
        returned = self.returned()
        return {
            "fault": fault,
            "count": count,
            "returned": returned.total(),
            "stored": len(records),
            "trials lost": self.lost,
            "returned but lost": sum(n - (architecture in own) for architecture, n in returned.items()),
            "duplicates": len(architectures) - len({*architectures}),
            "budget missed": abs(self.budget - len(records)),
            "processes left": left,
            "seconds": round(seconds),
            "said": self.told[-1][:160] if self.told else "",
        }
