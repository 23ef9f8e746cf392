"""How a goal, an architecture and a result are put into words, on the page and on the terminal."""

from __future__ import annotations

from optiproxy.metrics import Goal
from optiproxy.running.result import Record, SearchResult

_VERB = {"max": "maximize", "min": "minimize"}
_SENSE = {"<=": "at most", ">=": "at least"}


def goal_in_words(goal: Goal) -> str:
    """For example ``Maximize accuracy and minimize latency_ms, with parameters at most 50,000.``."""
    wanted = " and ".join(f"{_VERB[objective.direction]} {objective.metric}" for objective in goal.objectives)
    kept = " and ".join(f"{limit.metric} {_SENSE[limit.sense]} {limit.bound:,.10g}" for limit in goal.limits)
    text = f"{wanted}, with {kept}." if kept else f"{wanted}."
    return text[0].upper() + text[1:]


def choices_in_words(result: SearchResult, record: Record) -> str:
    """Every decision and what was chosen, on one line."""
    return ", ".join(f"{name} = {value}" for name, value in result.space.values(record.architecture).items())


def standing(result: SearchResult) -> str:
    """How far the search came and why it ended, in one sentence."""
    done = f"{len(result.records)} of {result.budget} queries"
    if result.stopped == "exhausted":
        return f"Finished after {done}: the space holds no further architecture."
    if result.stopped == "interrupted":
        return f"Interrupted after {done}: the same command resumes and finishes the budget."
    return f"Finished: {done} spent."


def state(result: SearchResult, record: Record) -> str:
    """``feasible``, ``infeasible`` or ``failed``."""
    if record.state == "failed":
        return "failed"
    return "feasible" if result.goal.feasible(record.metrics) else "infeasible"
