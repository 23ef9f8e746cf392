"""What a figure shows, as plain records: without a drawing, so that a paper can use any plotting library.

`optiproxy.reporting.comparison.figures` and `optiproxy.reporting.search.figures` compute these records;
`optiproxy.reporting.svg` draws them on the pages. All of them are dataclasses of numbers and texts: `dataclasses.asdict` makes
them what `json.dumps` takes. With matplotlib, a figure is drawn like this::

    from pathlib import Path

    import matplotlib.pyplot as plt
    import numpy as np

    from optiproxy.comparison.folder import Folder
    from optiproxy.reporting.comparison.figures import incumbents

    figure = incumbents(Folder(Path("runs")).comparison(), "nasbench201-cifar10")
    for series in figure.series:
        y, low, high = (np.array(values, dtype=float) for values in (series.y, series.low, series.high))
        (line,) = plt.step(series.x, y, where="post", label=series.name)
        plt.fill_between(series.x, low, high, step="post", alpha=0.15, color=line.get_color())
    for reference in figure.references:
        plt.axhline(reference.value, linestyle="dashed", label=reference.name)
    plt.xlabel(figure.x.text)
    plt.ylabel(figure.y.text)
    plt.ylim(figure.y.low, figure.y.high)
    plt.legend()
    plt.savefig(f"{figure.name}.pdf")
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Values = tuple[float | None, ...]
"""Numbers of a figure; None for what does not exist, because JSON knows neither infinities nor NaN."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """An axis and the range of it that shows what matters.

    Attributes:
        title: What is shown.
        low: Where the axis begins; above 0 on a logarithmic one.
        high: Where it ends; above ``low``.
        unit: Unit of the values; empty where there is none or the title says it.
        scale: ``linear``, or ``log`` from one power of ten to another.
        descending: Whether small values are on top, as ranks are.
    """

    title: str
    low: float
    high: float
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    descending: bool = False

    @property
    def text(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True, kw_only=True)
class Series:
    """Values that belong together and are drawn alike.

    Attributes:
        name: What they are: the name of an algorithm, or the kind of a query.
        x: ``(n,)`` positions.
        y: ``(n,)`` values.
        low: ``(n,)`` lower ends of an interval around each value; empty where there is none.
        high: ``(n,)`` upper ends.
        shape: ``steps`` hold each value until the next position; ``points`` stand alone; a ``rug`` has positions and no values.
        notes: ``(n,)`` what is said of each point; empty where nothing is.
    """

    name: str
    x: tuple[float, ...]
    # Empty for a rug: trainings that failed have no value.
    y: Values = ()
    low: Values = ()
    high: Values = ()
    shape: Literal["steps", "points", "rug"] = "steps"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A line across the whole figure: a known optimum, a limit.

    Attributes:
        value: Where it crosses its axis.
        name: What it is.
        axis: The axis that it crosses.
    """

    value: float
    name: str
    axis: Literal["x", "y"] = "y"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Series over two axes.

    Attributes:
        name: Short name, as that of a file.
        title: What is shown, in one line.
        x: Horizontal axis.
        y: Vertical axis.
        series: The series in the order of drawing: the last is on top.
        references: Lines across the figure.
        diagonal: Whether the line on which x equals y means something.
        named: Whether each point has the name of its series beside it; the first series have the best places.
        caption: What else is to be said, in a sentence.
    """

    name: str
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    references: tuple[Reference, ...] = ()
    diagonal: bool = False
    # For figures of one point per series, where a legend would be longer than the drawing.
    named: bool = False
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class RankFigure:
    """A critical-difference diagram (Demšar 2006): mean ranks, and which of them are not told apart.

    Attributes:
        name: Short name, as that of a file.
        title: What is shown, in one line.
        names: Algorithms, best first.
        ranks: Mean rank of each, ascending.
        critical_difference: Two algorithms are told apart if their ranks are further apart; None where there is no test.
        groups: First and last position of each longest run of algorithms that are not told apart.
    """

    name: str
    title: str
    names: tuple[str, ...]
    ranks: tuple[float, ...]
    critical_difference: float | None
    # Part of the data, because which ranks differ is statistics and not drawing.
    groups: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node of an architecture, in words.

    Attributes:
        label: The chosen operation, ``"input"``, ``"output"`` or the name of what is carried; empty where no decision bears
            on the node.
        detail: The decision that chose it.
        hue: Position of the choice among those that several decisions offer, to color equal operations alike; None
            where there is no such kinship.
    """

    label: str
    detail: str = ""
    # A number and not a color: which colors there are is for the drawing to say.
    hue: int | None = None


@dataclass(frozen=True, kw_only=True)
class Structure:
    """The part of an architecture through which data flows.

    Attributes:
        nodes: The nodes in topological order.
        edges: Pairs of positions in `nodes`, from lower to higher.
        idle: Nodes that were chosen and yet lie on no path from input to output: they have no effect.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    idle: tuple[Node, ...]


def finite(values: Iterable[float]) -> Values:
    """The values, with None for those that are not finite."""
    return tuple(value if math.isfinite(value) else None for value in values)


def around(title: str, values: Iterable[float | None], *, margin: float = 0.06, unit: str = "") -> Axis:
    """The axis that shows all finite values with a margin at both ends, a share of their range."""
    shown = [value for value in values if value is not None and math.isfinite(value)]
    low, high = (min(shown), max(shown)) if shown else (0.0, 1.0)
    # All values equal: some room around the one there is, or around nothing at all.
    room = (high - low) * margin or abs(high) * margin or 1.0
    # Nothing lies on the edge, where half of its marker would be cut off.
    return Axis(title=title, low=low - room, high=high + room, unit=unit)


def robust(title: str, values: Sequence[float], *, keep: Iterable[float] = ()) -> Axis:
    """The axis of the bulk of the values: what is further than three interquartile ranges from the box is left beyond it.

    One untrainable network at 10 % would otherwise flatten all differences between the good ones.

    Args:
        title: What is shown.
        values: What is drawn.
        keep: Values that must be on the axis, such as the best and a limit.
    """
    shown = np.array([value for value in values if math.isfinite(value)])
    # Quartiles of so few values would be the values themselves.
    if len(shown) < 4:
        return around(title, [*shown.tolist(), *keep])
    # The outer fences of a box plot (Tukey 1977), so that only far outliers are left out.
    first, third = np.quantile(shown, [0.25, 0.75])
    # Where half of the values are equal, the range between the quartiles is 0 and would cut off all others.
    reach = 3 * max(third - first, 1e-9 * abs(third))
    return around(title, [*shown[(shown >= first - reach) & (shown <= third + reach)].tolist(), *keep])


def logarithmic(title: str, values: Iterable[float], *, unit: str = "") -> Axis:
    """The logarithmic axis that shows all positive values, from one power of ten to another."""
    powers = [math.log10(value) for value in values if value > 0 and math.isfinite(value)] or [0.0]
    # Whole powers of ten at both ends, a decade apart at least, so that there are two ticks.
    low, high = math.floor(min(powers)), math.ceil(max(powers))
    return Axis(title=title, low=10.0**low, high=10.0 ** max(high, low + 1), unit=unit, scale="log")


def counting(title: str, last: int) -> Axis:
    """The axis of queries 1 to ``last``."""
    # From 0, where nothing is known yet; half a query of room, so that the last marker is not cut in two.
    return Axis(title=title, low=0, high=max(last, 1) + 0.5)
