"""How numbers, goals and the result of a search are put into words, on pages and on the terminal."""

from __future__ import annotations

import math

from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import LEVEL
from optiproxy.results.calibration import SETTLED, coverage
from optiproxy.results.result import SearchResult
from optiproxy.storage.backends.secrets import names_server
from optiproxy.storage.record import Record
from optiproxy.task.protocol import QueryProtocol

_VERB = {"max": "maximize", "min": "minimize"}
_SENSE = {"<=": "at most", ">=": "at least"}


def number(value: float | None) -> str:
    """As people read it: thousands separated, at most five significant digits, a dash for nothing."""
    if value is None or not math.isfinite(value):
        return "–"
    # Nobody reads the decimals of large numbers.
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.5g}"


def count(size: int) -> str:
    """A number of things, however many: in full below a billion, else its power of ten."""
    if size < 1_000_000_000:
        return f"{size:,}"
    # Spaces grow beyond what a float holds.
    digits = str(size)
    return f"{digits[0]}.{digits[1]}e{len(digits) - 1}"


def space_in_words(size: int, *, decisions: int, continuous: int) -> str:
    """How large a space is: ``24 combinations of 3 decisions``, and of numbers that nobody would count, how many there are."""
    if continuous:
        return f"{decisions} decision{'s'[: decisions > 1]}, {continuous} of them continuous"
    return f"{count(size)} combinations of {decisions} decisions"


def goal_in_words(goal: Goal) -> str:
    """The goal as a sentence: ``Maximize accuracy and minimize latency_ms, with parameters at most 50,000.``."""
    wanted = " and ".join(f"{_VERB[objective.direction]} {objective.metric}" for objective in goal.objectives)
    kept = " and ".join(f"{limit.metric} {_SENSE[limit.sense]} {limit.bound:,.10g}" for limit in goal.limits)
    text = f"{wanted}, with {kept}." if kept else f"{wanted}."
    # Not capitalize(), which would change the case of metric names.
    return text[0].upper() + text[1:]


def protocol_in_words(protocol: QueryProtocol, goal: Goal, *, budget: int) -> list[str]:
    """Sentences on what a search knew before a query, and at which fidelity it spent its budget; none if all is usual."""
    queried = protocol.queried(goal)
    # What is usual is not told: a reader may take it for granted.
    told: list[str] = []
    if protocol.free:
        told.append(
            f"Known before a query (free), so that none is spent on what breaks a limit: {', '.join(protocol.free)}."
        )
    if queried:
        told.append(f"Known only after a query (queried): {', '.join(queried)}.")
    if protocol.fidelity is not None:
        told.append(
            f"{budget} queries at fidelity {protocol.fidelity}, then the best {protocol.promote} again at "
            f"{protocol.full}; the answer is one of these."
        )
    return told


def choices_in_words(result: SearchResult, record: Record) -> str:
    """Every decision and what was chosen, on one line."""
    return ", ".join(f"{name} = {value}" for name, value in result.space.values(record.architecture).items())


def standing(result: SearchResult) -> str:
    """How far the search came and why it ended, in one sentence."""
    done = f"{_done(result)}{_shares(result)}"
    if result.stopped == "exhausted":
        return f"Finished after {done}: the space holds no further architecture."
    if result.stopped == "interrupted":
        return f"Interrupted after {done}: the same command resumes and finishes the budget."
    if result.stopped == "elsewhere":
        return f"Ended here after {done}: the others still run in other processes that share the study."
    if result.stopped != "budget":
        return f"Ended after {done}: {_RULES[result.stopped]}."
    return f"Finished: {_done(result)} spent{_shares(result)}."


_RULES = {
    "target": "the target is reached",
    "patience": "it has found nothing better for as long as it was to wait",
    "time": "its time is over",
    "callback": "a callback has stopped it",
}


def standing_so_far(result: SearchResult) -> str:
    """The same of a search that may still run."""
    return f"{_done(result)} so far{_shares(result)}." if result.stopped == "interrupted" else standing(result)


def _done(result: SearchResult) -> str:
    spent, asked = len(result.records), result.protocol.queries(result.budget)
    # The same study may have been given a larger budget before.
    return f"{spent} of {asked} queries" if spent <= asked else f"{spent} queries ({asked} were asked for)"


def _shares(result: SearchResult) -> str:
    """How many queries were made at which fidelity, where there were two."""
    if result.protocol.fidelity is None:
        return ""
    full = len(result.full)
    return (
        f" ({len(result.records) - full} at fidelity {result.protocol.fidelity} and {full} at {result.protocol.full}, "
        f"{result.epochs:,} epochs in all)"
    )


def result_in_words(result: SearchResult) -> str:
    """The best architecture with its metrics, or the front as a table, as lines of text."""
    best = result.best if result.has_best else None
    if best is None:
        where = f" at fidelity {result.protocol.full}" if result.protocol.promote else ""
        return f"No feasible architecture was found{where}."
    if len(result.front) > 1:
        return _front_in_words(result)
    choices = {name: str(value) for name, value in result.space.values(best.architecture).items()}
    metrics = {name: number(value) for name, value in best.metrics.items()}
    # One width for both lists, so that all values are aligned.
    width = max(map(len, [*choices, *metrics]))
    lines = [f"Best architecture, query #{best.number}:"]
    lines += [f"  {name:<{width}}  {value}" for name, value in choices.items()]
    lines += ["Measured:"]
    lines += [f"  {name:<{width}}  {value}" for name, value in metrics.items()]
    return "\n".join([*lines, *recommendation_in_words(result)])


def recommendation_in_words(result: SearchResult) -> list[str]:
    """What is recommended beside the best, both with all that was measured, as sentences; none where it is the same."""
    best, other = (result.best if result.has_best else None), result.recommended
    if best is None or other is None or other is best:
        return []
    told = [
        f"query #{record.number} ({', '.join(f'{name} {number(value)}' for name, value in record.metrics.items())})"
        for record in (best, other)
    ]
    return [
        f"Best measured: {told[0]}. Recommended: {told[1]}: measurements are noisy, and all together speak for this one.",
        f"Recommended architecture: {choices_in_words(result, other)}.",
    ]


def coverage_in_words(result: SearchResult, metric: str) -> str:
    """How often the intervals held the measured value, as a sentence; empty where none was predicted."""
    found = coverage(result.records, metric)
    if found.share is None:
        return ""
    return (
        f"Of the {found.intervals} intervals of {LEVEL:.0%} since query {SETTLED}, {found.held} ({found.share:.0%}) "
        "held the measured value."
    )


def _front_in_words(result: SearchResult) -> str:
    objectives = result.goal.objectives
    # Best first objective on top.
    front = sorted(result.front, key=lambda record: result.goal.gains(record.metrics), reverse=True)
    columns = [
        [objective.metric, *(number(record.metrics[objective.metric]) for record in front)] for objective in objectives
    ]
    columns = [[f"{cell:>{max(map(len, column))}}" for cell in column] for column in columns]
    labels = ["query", *(f"#{record.number}" for record in front)]
    choices = ["architecture", *(choices_in_words(result, record) for record in front)]
    rows = zip(*columns, (f"{label:>5}" for label in labels), choices, strict=True)
    share = "" if result.hypervolume is None else f", hypervolume {result.hypervolume:.3f} ({box_in_words(result)})"
    return "\n".join([f"Front of {len(front)} architectures{share}:", *("  " + "  ".join(row) for row in rows)])


def place_in_words(result: SearchResult) -> str:
    """Where the study lies. Of a server only the kind: pages and cards are made to be handed on."""
    if names_server(result.storage):
        return f"a {result.storage.partition('://')[0].partition('+')[0]} database"
    return result.storage or "memory"


def box_in_words(result: SearchResult) -> str:
    """What the hypervolume is a share of, for example ``of the box from accuracy 60, latency_ms 9 to 94, 1.5``."""
    if result.box is None:
        return ""
    names = [objective.metric for objective in result.goal.objectives]
    worst = ", ".join(f"{name} {number(value)}" for name, value in zip(names, result.box.reference, strict=True))
    return f"of the box from {worst} to {', '.join(map(number, result.box.ideal))}"
