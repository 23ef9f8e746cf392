"""Figures as matplotlib's, which comes with ``pip install 'optiproxy[analysis]'``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from optiproxy.errors import UsageError
from optiproxy.reporting.figures import Bars, Figure, Parallel, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Plot

_QUIET, _BEST = {"color": "0.6"}, {"color": "C0"}

_LOOKS: dict[str, dict[str, Any]] = {
    "feasible": _QUIET,
    "infeasible": {**_QUIET, "fillstyle": "none"},
    "feasible, full fidelity": _BEST,
    "infeasible, full fidelity": {**_BEST, "fillstyle": "none"},
    "failed": {"color": "C3"},
    "incumbent": _BEST,
    "front": _BEST,
    "predicted": _BEST,
    "hypervolume": _BEST,
}
"""Of the series that a search has; others, such as algorithms, take the next color of the cycle."""


def plot(figure: Figure | Bars | Parallel) -> Plot:
    """The figure as one of matplotlib's, which notebooks show and `savefig` writes. No global state is touched.

    Raises:
        UsageError: If matplotlib is not installed.
    """
    try:
        from optiproxy.reporting.shown import ShownFigure
    except ImportError as error:
        raise UsageError(
            "A figure of matplotlib's needs matplotlib, which is not installed. Run `pip install matplotlib`."
        ) from error
    made = ShownFigure(figsize=(7, 4), layout="constrained")
    axes = made.add_subplot()
    axes.set_title(figure.title)
    if isinstance(figure, Bars):
        axes.barh(figure.names[::-1], figure.values[::-1])
    elif isinstance(figure, Parallel):
        _parallel(figure, axes)
    else:
        _chart(figure, axes)
    return made


def _chart(figure: Figure, axes: Axes) -> None:
    # Many lines share a name; the legend tells each once.
    named: set[str] = set()
    for series in figure.series:
        if series.x:
            label = None if series.name in named else series.name
            named.add(series.name)
            _series(series, axes, {**_LOOKS.get(series.name, {}), "label": label})
    for reference in figure.references:
        across = axes.axhline if reference.axis == "y" else axes.axvline
        across(reference.value, color="0.4", linestyle="dashed", label=reference.name)
    if figure.diagonal:
        axes.axline((figure.x.low, figure.x.low), slope=1, color="0.4", linestyle="dashed")
    for axis, name in ((figure.x, "x"), (figure.y, "y")):
        axes.set(**{f"{name}label": axis.text, f"{name}scale": axis.scale})
        ends = (axis.high, axis.low) if axis.descending else (axis.low, axis.high)
        axes.set(**{f"{name}lim": ends})
    if named:
        axes.legend(fontsize="small")


def _series(series: Series, axes: Axes, look: dict[str, Any]) -> None:
    y = [math.nan if value is None else value for value in series.y]
    if series.shape == "rug":
        axes.plot(series.x, [0.02] * len(series.x), "x", transform=axes.get_xaxis_transform(), **look)
    elif series.shape == "points":
        axes.plot(series.x, y, "o", markersize=4, **look)
    elif series.shape == "lines":
        axes.plot(series.x, y, alpha=0.8, **look)
    else:
        (line,) = axes.step(series.x, y, where="post", **look)
        if series.low:
            low, high = ([math.nan if v is None else v for v in ends] for ends in (series.low, series.high))
            axes.fill_between(series.x, low, high, step="post", alpha=0.15, color=line.get_color())


def _parallel(figure: Parallel, axes: Axes) -> None:
    from optiproxy.reporting.svg.elements import position

    for series in figure.series:
        known = [(k, v) for k, v in zip(series.x, series.y, strict=True) if v is not None]
        heights = [position(figure.axes[round(k)], value) for k, value in known]
        axes.plot([k for k, _ in known], heights, alpha=0.6, **_LOOKS.get(series.name, {}))
    axes.set_xticks(range(len(figure.axes)), [axis.title for axis in figure.axes], rotation=30, ha="right")
    axes.set_yticks([])
    for k, axis in enumerate(figure.axes):
        axes.axvline(k, color="0.3", linewidth=0.8)
        ends = enumerate(axis.labels) if axis.labels else ((v, f"{v:.4g}") for v in (axis.low, axis.high))
        for value, text in ends:
            axes.text(k, position(axis, value), f" {text}", fontsize="x-small", va="center")
