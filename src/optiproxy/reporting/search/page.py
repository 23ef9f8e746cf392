"""The report on one search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from markupsafe import Markup

from optiproxy import __version__
from optiproxy.files import write
from optiproxy.metrics import Metrics
from optiproxy.reporting.figures import Bars, Figure, Parallel
from optiproxy.reporting.page import render
from optiproxy.reporting.search import figures
from optiproxy.reporting.search.decisions import decision_importances, parallel_coordinates
from optiproxy.reporting.search.gallery import drawn
from optiproxy.reporting.search.learning import learning_curves
from optiproxy.reporting.search.structure import flows, structure
from optiproxy.reporting.svg import graph
from optiproxy.reporting.words import (
    box_in_words,
    goal_in_words,
    number,
    place_in_words,
    protocol_in_words,
    recommendation_in_words,
    standing,
    standing_so_far,
)
from optiproxy.results.result import SearchResult
from optiproxy.spaces import Choice
from optiproxy.storage.record import Record

MOST_COLUMNS = 120
"""Decisions of which more would make the table of all queries larger than browsers bear."""


@dataclass(frozen=True)
class KeyFigure:
    """One of the large numbers at the head of the page."""

    name: str
    value: str
    beside: str = ""


@dataclass(frozen=True)
class TrialRow:
    """One query in a table: its ``choices``, and the ``values`` of its metrics that the columns sort by."""

    record: Record
    state: str
    kind: str
    choices: Sequence[Choice]
    values: Sequence[float | str]
    fidelity: int | None = None


def write_search_report(result: SearchResult, path: Path) -> Path:
    """Write the page; it needs no network and no other file.

    Raises:
        UsageError: If the file cannot be written.
    """
    return write(path, search_report(result, folder=path.parent))


def search_report(result: SearchResult, *, folder: Path, live: str = "") -> str:
    """The page as HTML.

    Args:
        result: The search.
        folder: Where its commands look for the search.
        live: How far the search is: with it, the page asks the server that it comes from for news
            (`optiproxy.reporting.search.live`).
    """
    # All that was measured and not the goal's metrics alone: a task may measure more than is searched for.
    names = _metric_names(result.records)
    front = {record.number for record in result.front}
    rows = [_row(result, record, names=names, chosen=record.number in front) for record in result.records]
    best = result.best if result.has_best else None
    # Decisions that are no operations have no place in a drawing of what data flows through.
    shape = None if best is None or not flows(result.space) else structure(result.space, best.architecture)
    importance = decision_importances(result)
    return render(
        "search.html",
        version=__version__,
        title=f"{result.task}: architecture search",
        result=result,
        goal=goal_in_words(result.goal),
        protocol=protocol_in_words(result.protocol, result.goal, budget=result.budget),
        figures=_key_figures(result),
        standing=standing_so_far(result) if live else standing(result),
        front=[row for row in rows if row.kind == "best"],
        best=best,
        choices=result.best_architecture if best else {},
        found="" if best is None else f"Query #{best.number}.",
        recommendation=recommendation_in_words(result),
        picture=None if shape is None else graph.draw(shape, label="The best architecture as a graph"),
        idle=", ".join(f"{node.detail} = {node.label}" for node in (shape.idle if shape else ())),
        progress=_figure(figures.progress(result)),
        infeasible=any(row.state == "infeasible" for row in rows),
        hypervolume=_figure(figures.hypervolume(result), height=260),
        box=box_in_words(result),
        # Without anything feasible there is no front to look at.
        tradeoffs=[drawn(one, width=430, height=320) for one in figures.tradeoffs(result)] if best else [],
        predictions=[(drawn(one, width=430, height=380), one.caption) for one in figures.predictions(result)],
        importance=[(drawn(one, width=430), one.caption) for one in importance],
        parallel=_captioned(parallel_coordinates(result, importance)),
        curves=_captioned(learning_curves(result)),
        rows=rows,
        names=names,
        decisions=[decision.name for decision in result.space.decisions[:MOST_COLUMNS]],
        beyond=max(len(result.space.decisions) - MOST_COLUMNS, 0),
        failures=[row for row in rows if row.state == "failed"],
        place=place_in_words(result),
        commands=_commands(folder),
        live=live,
    )


def _figure(figure: Figure | None, *, height: int = 360) -> Markup | None:
    return None if figure is None else drawn(figure, height=height)


def _captioned(figure: Figure | Bars | Parallel | None) -> tuple[Markup, str] | None:
    return None if figure is None else (drawn(figure), figure.caption)


def _key_figures(result: SearchResult) -> list[KeyFigure]:
    states = [result.state(record) for record in result.records]
    best: Metrics = result.best.metrics if result.has_best else {}
    found = [
        KeyFigure(f"best {objective.metric}", number(best.get(objective.metric)))
        for objective in result.goal.objectives
    ]
    if len(result.goal.objectives) > 1:
        found = [
            KeyFigure("architectures on the front", str(len(result.front))),
            # Of several objectives no single best value says how the search went: the front comes first.
            KeyFigure("hypervolume", number(result.hypervolume and round(result.hypervolume, 3))),
            *found,
        ]
    # Where all trainings are equally long, the number of queries says as much.
    epochs = [] if result.protocol.fidelity is None else [KeyFigure("epochs", f"{result.epochs:,}")]
    spent = sum(record.evaluation_seconds for record in result.records)
    proposing = sum(record.ask_seconds for record in result.records)
    asked = result.protocol.queries(result.budget)
    return [
        *found,
        KeyFigure("queries", str(len(states)), f"of {asked}" if len(states) <= asked else ""),
        *epochs,
        KeyFigure(
            "feasible",
            str(states.count("feasible")),
            ", ".join(f"{states.count(s)} {s}" for s in ("failed", "pruned") if s in states),
        ),
        KeyFigure("evaluation", *_with_unit(spent)),
        KeyFigure("search itself", *_with_unit(proposing)),
    ]


def _with_unit(seconds: float) -> tuple[str, str]:
    """A time as a number and its unit."""
    # A minute and a half reads well in seconds, and an hour and a half in minutes.
    if seconds < 90:
        return f"{seconds:.1f}", "s"
    return (f"{seconds / 60:.1f}", "min") if seconds < 5400 else (f"{seconds / 3600:.1f}", "h")


def _row(result: SearchResult, record: Record, *, names: Sequence[str], chosen: bool) -> TrialRow:
    # The class of the row. A failed training has no metrics, so that it is out as well.
    kind = "best" if chosen else "" if result.goal.feasible(record.metrics) else "out"
    # A cell without a number is sorted last.
    known = {name: value for name, value in record.metrics.items() if math.isfinite(value)}
    return TrialRow(
        record,
        result.state(record),
        kind,
        [*result.space.values(record.architecture).values()][:MOST_COLUMNS],
        [known.get(name, "") for name in names],
        None if result.protocol.fidelity is None else result.protocol.epochs(record.fidelity),
    )


def _metric_names(records: Sequence[Record]) -> list[str]:
    # A dictionary keeps the order in which metrics were first met, which a set would not.
    found: Mapping[str, None] = {name: None for record in records for name in record.metrics}
    return list(found)


def _commands(folder: Path) -> str:
    # The commands are copied into a shell, and a folder may have spaces in its name.
    where = quote(str(folder))
    return "\n".join(
        [
            f"optiproxy export {where} --format json",
            f"optiproxy export {where} --format torch    # tasks that train a network",
            f"optiproxy report {where}",
        ]
    )
