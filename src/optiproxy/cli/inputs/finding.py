"""Which folder in ``runs`` holds the search that a TOML file or a ``MODULE:NAME`` of the user's stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from optiproxy import registry
from optiproxy.cli.inputs import saved, search_file
from optiproxy.errors import OptiProxyError, UsageError
from optiproxy.registry import OwnTask, targets
from optiproxy.registry.own import parts
from optiproxy.storage.study import stored_study

RUNS = Path("runs")
"""Where a search puts its folder unless it is told otherwise."""


def is_own(target: str) -> bool:
    """Return whether something is named by the user's own code or file, and not by where a study lies."""
    return "://" not in target and (search_file.is_file(target) or (targets.is_target(target)))


def folder_of(target: str) -> Path:
    """Return the folder of the one search that is meant.

    Args:
        target: A TOML file; ``MODULE:NAME`` of a task, or of a space or a training function that was searched.

    Raises:
        UsageError: If there is no such search, or there are several.
    """
    if search_file.is_file(target):
        content = search_file.read(Path(target))
        if "out" in content:
            return content["out"]
        found = _folders(_of_file(content))
    else:
        name = targets.normalized(target)
        # Only where no search says so itself: a task has a name of its own, which its module knows.
        found = _folders(lambda held: name in parts(str(held["task"]))) or _folders(_named(target))
    if not found:
        raise UsageError(f"No search of {target} is in {RUNS}. Run it first, or give the folder of the search.")
    if len(found) > 1:
        raise UsageError(f"{RUNS} has several searches of {target}. Give one of them: {', '.join(map(str, found))}.")
    return found[0]


def _of_file(content: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells the search of a file: same task, same seed."""
    space, evaluate = content["space"], content.get("evaluate")
    seed = content.get("seed", 0)
    if evaluate is None:
        of_task = _named(str(space))
        return lambda held: of_task(held) and held["seed"] == seed
    name = OwnTask(space=space, evaluate=evaluate).name
    return lambda held: held["task"] == name and held["seed"] == seed


def _named(target: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells the searches of a task of the user's."""
    try:
        name = registry.task(target).name
    except OptiProxyError:
        return lambda _: False
    return lambda held: held["task"] == name


def _folders(meant: Callable[[Mapping[str, Any]], bool]) -> list[Path]:
    return [folder for folder in sorted(RUNS.glob("*/")) if (held := _held(folder)) and meant(held)]


def _held(folder: Path) -> Mapping[str, Any]:
    """Return what a folder says of its search: task and seed; empty where there is none."""
    content: Mapping[str, Any] = saved.read(folder)
    # A search that is still running, or was killed, has no result yet.
    if "task" not in content and (folder / saved.DATABASE).exists():
        with suppress(OptiProxyError):
            content = stored_study(saved.database(folder), None)[1]
    return content if {"task", "seed"} <= content.keys() else {}
