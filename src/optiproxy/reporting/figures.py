"""What a figure shows, as plain records: without a drawing, so that a paper can use any plotting library.

`optiproxy.reporting.comparison.figures` and `optiproxy.reporting.search.figures` compute these records;
`optiproxy.reporting.svg` draws them on the pages, and `optiproxy.reporting.plots.plot` as matplotlib's. All of them are
dataclasses of numbers and texts: `dataclasses.asdict` makes them what `json.dumps` takes. By hand, a figure is drawn like this::

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

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Plot

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
        labels: Names of the values 0, 1, 2, … of an axis of categories; empty for numbers.
    """

    title: str
    low: float
    high: float
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    descending: bool = False
    # Positions 0, 1, 2, … of what is no number.
    labels: tuple[str, ...] = ()

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
        shape: ``steps`` hold each value until the next position; ``lines`` join them; ``points`` stand alone; a ``rug`` has
            positions and no values.
        notes: ``(n,)`` what is said of each point, or of a line one text; empty where nothing is.
    """

    name: str
    x: tuple[float, ...]
    # Empty for a rug: trainings that failed have no value.
    y: Values = ()
    low: Values = ()
    high: Values = ()
    shape: Literal["steps", "lines", "points", "rug"] = "steps"
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


class Plottable:
    """What matplotlib can draw, too: `Figure`, `Bars` and `Parallel`."""

    def matplotlib(self) -> Plot:
        """The figure as one of matplotlib's.

        Raises:
            UsageError: If matplotlib is not installed.
        """
        from optiproxy.reporting.plots import plot

        return plot(cast("Figure | Bars | Parallel", self))


@dataclass(frozen=True, kw_only=True)
class Figure(Plottable):
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
class Bars(Plottable):
    """One number for each of several things, largest first.

    Attributes:
        name: Short name, as that of a file.
        title: What is shown, in one line.
        names: The things.
        values: A number of 0 or more for each.
        caption: What else is to be said, in a sentence.
    """

    name: str
    title: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Parallel(Plottable):
    """Parallel coordinates (Inselberg 1985): an axis beside the other, and a line across them for each of many things.

    Attributes:
        name: Short name, as that of a file.
        title: What is shown, in one line.
        axes: From left to right.
        series: Lines in the order of drawing: the last is on top. ``x`` are positions in ``axes``, ``y`` values on these.
        caption: What else is to be said, in a sentence.
    """

    name: str
    title: str
    axes: tuple[Axis, ...]
    series: tuple[Series, ...]
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
