"""What is known of a name before anything is imported: our own tables hold it, or the entry points of other packages."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TypeVar


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One name; of a space it is all there is.

    Attributes:
        name: What it is called on the command line and in studies.
        target: ``"module:attribute"`` of what makes it.
        description: One line for the listing.
        package: The distribution that registers the name by an entry point; empty for what comes with optiproxy.
    """

    name: str
    target: str
    description: str = ""
    package: str = ""


@dataclass(frozen=True, kw_only=True)
class AlgorithmEntry(Entry):
    """One search algorithm.

    Attributes:
        paper: Where it was published.
        environment: The environment of its own that its package needs (`optiproxy.baselines.packages.environments`);
            empty where it runs in ours.
    """

    paper: str = ""
    environment: str = ""


@dataclass(frozen=True, kw_only=True)
class TaskEntry(Entry):
    """One task.

    Attributes:
        arguments: Keyword arguments of the factory.
        data: Datasets that it reads where they are here; `optiproxy data` knows them by these names.
    """

    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    data: tuple[str, ...] = ()


E = TypeVar("E", bound=Entry)


def registered(kind: str, make: type[E], builtin: Iterable[str]) -> list[E]:
    """Return what other packages register by entry points of the group ``optiproxy.<kind>s``, in order of the names.

    A warning tells of names that are taken already; ours come first.

    Args:
        kind: ``"algorithm"``, ``"task"`` or ``"space"``.
        make: The record of such a name.
        builtin: The names that come with optiproxy.
    """
    taken = dict.fromkeys(builtin, "optiproxy")
    found: list[E] = []
    # In an order that does not depend on where the packages are installed: the same one wins in every process.
    # Not cached: a test, or a notebook, may install a package while the process runs.
    for point in sorted(entry_points(group=f"optiproxy.{kind}s"), key=lambda point: (point.name, point.value)):
        # Entry points that were not read from an installed package have no distribution.
        package = point.dist.name if point.dist else "an unknown package"
        # A package must not take over a name: in a study it would then stand for another algorithm or task.
        if point.name in taken:
            warnings.warn(
                f"The {kind} {point.name!r} of the package {package} is left out: {taken[point.name]} has one of this name.",
                # Points at whoever has asked for the list.
                stacklevel=3,
            )
            continue
        taken[point.name] = package
        found.append(make(name=point.name, target=f"{point.module}:{point.attr}", package=package))
    return found
