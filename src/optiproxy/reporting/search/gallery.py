"""All figures of one search by name, and how its series are drawn."""

from __future__ import annotations

from markupsafe import Markup

from optiproxy.reporting.figures import Bars, Figure, Parallel
from optiproxy.reporting.search import figures as of
from optiproxy.reporting.search.decisions import decision_importances, parallel_coordinates
from optiproxy.reporting.search.learning import learning_curves
from optiproxy.reporting.svg import bars, chart, parallel
from optiproxy.reporting.svg.chart import Style
from optiproxy.reporting.svg.elements import BAD, BEST, QUIET
from optiproxy.results.result import SearchResult

STYLES = {
    of.INFEASIBLE: Style(QUIET, "hollow"),
    of.FEASIBLE: Style(QUIET),
    of.PROMOTED_INFEASIBLE: Style(BEST, "hollow"),
    of.PROMOTED: Style(BEST),
    of.FAILED: Style(BAD, "cross"),
    of.INCUMBENT: Style(BEST),
    of.FRONT: Style(BEST, css="lead"),
    of.PREDICTED: Style(BEST),
    of.HYPERVOLUME: Style(BEST),
}
"""How each series of a search is drawn."""


def figures(result: SearchResult) -> dict[str, Figure | Bars | Parallel]:
    """Every figure of a search for which there is data, by name, in the order of the report.

    They are ``progress``, ``hypervolume``, the Pareto front as ``METRIC-METRIC``, ``predictions-METRIC``,
    ``importance-METRIC`` (permutation importance in a proxy), ``parallel-coordinates`` and ``learning-curves``. Each is plain
    data; `Figure.matplotlib` makes it one of matplotlib's::

        optiproxy.figures(result)["progress"].matplotlib().savefig("progress.pdf")
    """
    importance = decision_importances(result)
    found: list[Figure | Bars | Parallel | None] = [
        of.progress(result),
        of.hypervolume(result),
        # Without anything feasible there is no front to look at.
        *(of.tradeoffs(result) if result.has_best else ()),
        *of.predictions(result),
        *importance,
        parallel_coordinates(result, importance),
        learning_curves(result),
    ]
    return {figure.name: figure for figure in found if figure is not None}


def drawn(figure: Figure | Bars | Parallel, *, width: int = 880, height: int = 360) -> Markup:
    """A figure of a search as SVG."""
    if isinstance(figure, Bars):
        return bars.draw(figure, width=width)
    if isinstance(figure, Parallel):
        return parallel.draw(figure, STYLES, width=width, height=height)
    return chart.draw(figure, STYLES, width=width, height=height)
