"""What a study was made for, written into it so that no other search continues it by mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import optiproxy
from optiproxy.errors import StudyError
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.spaces import FlatSpace, RestrictedSpace, Space, plain_fingerprint
from optiproxy.spaces.ranges import scale_from
from optiproxy.task.code import same_code
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Source


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Everything that makes two searches the same search; the budget may differ, to go on longer.

    Attributes:
        task: Name of the task.
        space: The space that is searched, without what the limits rule out.
        goal: What is searched for.
        source: Where the task's values come from.
        algorithm: Name of the algorithm, or where it can be imported from.
        seed: Seed of the algorithm and of the trainings.
        protocol: What is known before a query, and the fidelity of a query. How many are promoted may differ, like the
            budget.
        code: What -> digest of a user's functions that the values come from, as in `Task`.
        formerly: Another name of the task, as in `Task`.
    """

    task: str
    space: Space
    goal: Goal
    source: Source
    algorithm: str
    seed: int
    protocol: QueryProtocol = field(default_factory=QueryProtocol)
    code: Mapping[str, str] = field(default_factory=dict[str, str])
    formerly: str = ""

    def to_json(self) -> dict[str, Any]:
        """As stored in the study."""
        decisions = self.space.decisions
        return {
            "version": optiproxy.__version__,
            "task": self.task,
            "space": self.space.fingerprint,
            "space_name": self.space.name,
            "decisions": [[decision.name, decision.listed] for decision in self.space.decisions],
            "objectives": [[objective.metric, objective.direction] for objective in self.goal.objectives],
            "limits": [[limit.metric, limit.sense, limit.bound] for limit in self.goal.limits],
            "source": asdict(self.source),
            "algorithm": self.algorithm,
            "seed": self.seed,
            "protocol": asdict(self.protocol),
            "code": dict(self.code),
            "fixed": [[f"{decisions[d].name}={decisions[d].choices[i]}"] for d, i in sorted(self.space.fixed.items())],
        }

    def check(self, stored: Mapping[str, Any], name: str) -> None:
        """Raise `StudyError`, naming what differs, unless ``stored`` is the same search."""
        mine = self.to_json()
        # Of the source, name and content count; its description may be reworded.
        for content in (mine, stored):
            if not isinstance(content.get("source"), Mapping):
                raise StudyError(f"Study {name!r} is not one of optiproxy's. Use another study name.")
        if isinstance(self.space, RestrictedSpace) and stored.get("space") == plain_fingerprint(self.space):
            # Studies of a restricted pool once held a digest of name and decisions alone, without the pool's members.
            mine["space"] = stored["space"]
        if self.formerly and stored["source"]["name"] == self.source.name:
            mine["task"] = stored.get("task")  # a function that has got another name is the same one
        pairs = {key: (_show(stored, key), _show(mine, key)) for key in _COMPARED}
        differing = [f"{key} {old}, not {new}" for key, (old, new) in pairs.items() if old != new]
        if differing:
            raise StudyError(
                f"Study {name!r} was made for {'; '.join(differing)}. Use another study name, or ask for the same to resume it."
            )

    def changed(self, stored: Mapping[str, Any]) -> list[str]:
        """Which functions are others than those of the stored search, as far as that can be told."""
        before: Mapping[str, str] = stored.get("code") or {}
        if not before:  # of an earlier version
            return []
        every = {**before, **self.code}
        return [w for w in every if w not in before or w not in self.code or not same_code(before[w], self.code[w])]


# Neither the version nor the number of promotions: both may change while a study goes on.
_COMPARED = (
    "task",
    "space",
    "objectives",
    "limits",
    "source",
    "algorithm",
    "seed",
    "free metrics",
    "fidelity",
    "fixed",
)


def _show(content: Mapping[str, Any], key: str) -> str:
    value: Any = content.get(key)
    match key:
        case "space":
            return f"{content.get('space_name')} ({value})"
        case "source":
            return " ".join(filter(None, (value["name"], value["digest"])))
        case "objectives" | "limits" | "fixed":
            return ", ".join("".join(map(str, _joined(entry))) for entry in value or ()) or "none"
        case "free metrics":
            return ", ".join(protocol_from_json(content).free) or "none"
        case "fidelity":
            return str(protocol_from_json(content).fidelity or "full")
        case _:
            return repr(value)


def _joined(entry: list[Any]) -> list[Any]:
    return [entry[0], ":", entry[1]] if len(entry) == 2 else entry


_TEXTS, _NUMBERS = ("task", "space", "space_name", "algorithm"), ("seed", "budget")


def check_stored(content: Mapping[str, Any]) -> None:
    """Raise `TypeError` unless names are texts and counts are whole numbers in what a study says of itself."""
    for key, kind in (*dict.fromkeys(_TEXTS, str).items(), *dict.fromkeys(_NUMBERS, int).items()):
        if type(content[key]) is not kind:
            raise TypeError(f"its {key} is {content[key]!r}")


def goal_from_json(content: Mapping[str, Any]) -> Goal:
    """The goal that `Identity.to_json` wrote.

    Raises:
        ValueError, TypeError, KeyError: If it is none.
    """
    goal = Goal(
        tuple(Objective(metric, direction) for metric, direction in content["objectives"]),
        tuple(Limit(metric, float(bound), sense) for metric, sense, bound in content["limits"]),
    )
    sides: list[tuple[object, str]] = [
        *((o.metric, o.direction) for o in goal.objectives),
        *((x.metric, x.sense) for x in goal.limits),
    ]
    for metric, side in sides:
        if not isinstance(metric, str) or side not in ("min", "max", "<=", ">="):
            raise ValueError(f"{metric!r} {side!r} is neither an objective nor a limit")
    return goal


def protocol_from_json(content: Mapping[str, Any]) -> QueryProtocol:
    """The protocol that `Identity.to_json` wrote."""
    return QueryProtocol.from_json(content["protocol"]) if "protocol" in content else QueryProtocol()


def source_from_json(content: Mapping[str, Any]) -> Source:
    """The source that `Identity.to_json` wrote.

    Raises:
        TypeError, KeyError: If it is none.
    """
    source = Source(**content["source"])
    if not all(isinstance(text, str) for text in asdict(source).values()):
        raise TypeError(f"its source is {content['source']!r}")
    return source


def space_from_json(content: Mapping[str, Any]) -> FlatSpace:
    """The decisions that `Identity.to_json` wrote, as a flat space; enough to read architectures."""
    decisions = {
        name: scale_from(listed) if isinstance(listed, str) else listed for name, listed in content["decisions"]
    }
    return FlatSpace(decisions, name=content["space_name"])
