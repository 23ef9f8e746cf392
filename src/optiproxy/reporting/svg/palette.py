"""Colors that most people with a color vision deficiency tell apart (Okabe and Ito 2008), darkened for thin lines."""

from __future__ import annotations

from optiproxy.reporting.svg.chart import Ink

_STRONG = ("#0072b2", "#d55e00", "#008f6b", "#b0568a", "#a67c00", "#3d97c9", "#555555")
_DASHES = ("none", "7 4", "2 3", "9 3 2 3")
_TINTS = ("#e9edf1", "#dcebf7", "#fbe6d4", "#d8f0e6", "#f6e2ee", "#fbf1cc", "#e2e4f6", "#eadfd6")
_EDGES = ("#9aa5b1", "#6fa8d3", "#dd9a62", "#5fb796", "#c98bb0", "#cdb04a", "#9096cf", "#b1977f")

BEST, QUIET, BAD = Ink("#0072b2"), Ink("#7a8794"), Ink("#d55e00")
"""What is best or good, what is ordinary, what failed."""


def series(index: int) -> Ink:
    """The ink of the ``index``-th line of a chart: colors first, then dashes."""
    return Ink(_STRONG[index % len(_STRONG)], _DASHES[index // len(_STRONG) % len(_DASHES)])


def tint(index: int) -> tuple[str, str]:
    """Fill and outline of a box."""
    return _TINTS[index % len(_TINTS)], _EDGES[index % len(_EDGES)]
