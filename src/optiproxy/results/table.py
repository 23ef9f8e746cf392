"""The result of a search as a table: one row per query, for pandas, and as HTML for notebooks."""

from __future__ import annotations

import html as markup
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from optiproxy.errors import UsageError, printable

if TYPE_CHECKING:
    from pandas import DataFrame

    from optiproxy.results.result import SearchResult
    from optiproxy.storage.record import Record

SHOWN = 10
"""Rows of the front, and decisions of each, that a notebook shows."""


def columns(result: SearchResult) -> dict[str, list[Any]]:
    """Column name -> ``(n,)`` values, one per query in the order in which they finished.

    The columns are the number and the state, each decision by its value, each metric, each prediction as
    ``predicted_METRIC``, the epochs where there are fidelities, the seconds, and the reason of a failure. Where a metric has
    the name of a decision, as ``width`` may, its column is ``metric_width``. What was not measured is NaN.
    """
    records = result.records
    values = [result.space.values(record.architecture) for record in records]
    # Of each column the name, and what is put in front where that is taken.
    found: list[tuple[str, str, list[Any]]] = [
        ("number", "", [record.number for record in records]),
        ("state", "", [result.state(record) for record in records]),
        *((d.name, "decision", [row[d.name] for row in values]) for d in result.space.decisions),
        *((name, "metric", column) for name, column in _by_name([record.metrics for record in records])),
        *((f"predicted_{name}", "of", column) for name, column in _by_name([record.predicted for record in records])),
        ("seconds", "evaluation", [record.evaluation_seconds for record in records]),
        ("reason", "failure", [record.reason for record in records]),
    ]
    if result.protocol.fidelity is not None:
        found.insert(-2, ("epochs", "spent", [result.protocol.epochs(record.fidelity) for record in records]))
    named: dict[str, list[Any]] = {}
    for name, kind, column in found:
        while name in named:
            name = f"{kind}_{name}"  # noqa: PLW2901 - until nothing else has the name
        named[name] = column
    return named


def _by_name(rows: list[Mapping[str, float]]) -> Iterator[tuple[str, list[float]]]:
    # A dictionary keeps the order in which names were first met, which a set would not.
    for name in {name: None for row in rows for name in row}:
        yield name, [row.get(name, math.nan) for row in rows]


def dataframe(result: SearchResult) -> DataFrame:
    """`columns` as a DataFrame.

    Raises:
        UsageError: If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise UsageError("A DataFrame needs pandas, which is not installed. Run `pip install pandas`.") from error
    return pd.DataFrame(columns(result))


def html(result: SearchResult) -> str:
    """The best architecture or the front, and what became of the queries, as a small piece of HTML; all text is escaped."""
    states = [result.state(record) for record in result.records]
    counts = ", ".join(
        f"{states.count(name)} {name}" for name in ("feasible", "infeasible", "failed", "pruned") if name in states
    )
    title = f"{result.task}: {len(states)} of {max(result.protocol.queries(result.budget), len(states))} queries"
    goal = ", ".join(map(str, (*result.goal.objectives, *result.goal.limits)))
    told = "".join(f" · {escape(text)}" for text in (counts, goal, f"stopped: {result.stopped}") if text)
    head = f"<p><b>{escape(title)}</b>{told}</p>"
    front = sorted(result.front, key=lambda record: result.goal.gains(record.metrics), reverse=True)
    if not front:
        return f"<div>{head}<p>No feasible architecture was found.</p></div>"
    metrics = list({name: None for record in front for name in record.metrics})
    decisions = [decision.name for decision in result.space.decisions]
    rows = [_row(result, record, metrics) for record in front[:SHOWN]]
    beyond = len(decisions) - SHOWN
    heads = ["query", *metrics, *decisions[:SHOWN], *([f"… {beyond} more decisions"] if beyond > 0 else [])]
    left = f"<p>… {len(front) - SHOWN} more on the front</p>" if len(front) > SHOWN else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    top = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f'<div style="overflow-x: auto">{head}<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>{left}</div>'


def escape(text: str) -> str:
    """As HTML shows it, without what steers a terminal or a browser."""
    return markup.escape(printable(text))


def _row(result: SearchResult, record: Record, metrics: list[str]) -> list[str]:
    values = [str(value) for value in result.space.values(record.architecture).values()]
    measured = [f"{record.metrics[name]:.6g}" if name in record.metrics else "–" for name in metrics]
    return [f"#{record.number}", *measured, *values[:SHOWN], *(["…"] if len(values) > SHOWN else [])]
