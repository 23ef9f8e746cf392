"""Results from elsewhere, in whatever form they come: another search, a table of pandas, plain mappings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Metrics
from optiproxy.results.result import SearchResult
from optiproxy.spaces import Architecture, Space
from optiproxy.task.values import WrongValueError, as_number


def known_results(earlier: object, space: Space, goal: Goal) -> list[tuple[Architecture, Metrics]]:
    """Architectures of the space and what was measured of them.

    Args:
        earlier: A `SearchResult`, a DataFrame or mappings with an entry for each decision and each metric that the goal
            reads, or None. Of a search and a table, what lacks an objective is passed over.
        space: Where the architectures are from.
        goal: Names the metrics.

    Raises:
        UsageError: If there is no such column, or something is no choice of its decision.
    """
    if earlier is None:
        return []
    if isinstance(earlier, SearchResult):
        theirs = earlier.space
        rows = [{**theirs.values(r.architecture), **r.metrics} for r in earlier.full if r.state == "complete"]
    elif hasattr(earlier, "to_dict") and hasattr(earlier, "columns"):
        rows = cast("list[Mapping[str, Any]]", cast("Any", earlier).to_dict("records"))
    elif isinstance(earlier, Iterable) and not isinstance(earlier, str | Mapping):
        rows = [*cast("Iterable[Mapping[str, Any]]", earlier)]
    else:
        raise UsageError(
            f"Expected earlier results as a SearchResult, a DataFrame or a list of mappings, got {type(earlier).__name__}."
        )
    found = [_result(row, space, goal) for row in rows]
    wanted = {objective.metric for objective in goal.objectives}
    return [(architecture, metrics) for architecture, metrics in found if wanted <= metrics.keys()]


def _result(row: object, space: Space, goal: Goal) -> tuple[Architecture, Metrics]:
    if not isinstance(row, Mapping):
        raise UsageError(f"Expected an earlier result as a mapping of decisions and metrics to values, got {row!r}.")
    values = cast("Mapping[str, Any]", row)
    absent = [objective.metric for objective in goal.objectives if objective.metric not in values]
    if absent:
        raise UsageError(
            f"An earlier result lacks {absent[0]!r}; it has {', '.join(map(str, values))}. Each needs every decision and every "
            "objective."
        )
    # A table holds NaN where a decision does not matter.
    given = {d.name: values[d.name] for d in space.decisions if d.name in values and values[d.name] == values[d.name]}
    architecture = space.architecture(given)
    metrics: dict[str, float] = {}
    for name in goal.metric_names:
        value = values.get(name)
        try:
            number = float("nan") if value is None else as_number(name, value)
        except WrongValueError as error:
            raise UsageError(f"In an earlier result: {error}") from error
        if number == number and abs(number) != float("inf"):  # noqa: PLR0124 - NaN is where nothing was measured
            metrics[name] = number
    return architecture, metrics
