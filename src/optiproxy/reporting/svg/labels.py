"""Where names go beside points, so that none covers another or a point."""

from __future__ import annotations

from collections.abc import Sequence

LETTER, LINE, GAP = 6.3, 12.0, 7.0
"""Width of a letter, height of a line, distance from the point; in CSS pixels of the size of tick labels."""

Box = tuple[float, float, float, float]


def beside(
    points: Sequence[tuple[float, float]], texts: Sequence[str], *, left: float, right: float
) -> list[tuple[float, float] | None]:
    """Where each text begins, on its baseline: right of its point, left of it, above or below; None where all is taken.

    Args:
        points: On the screen, y downward.
        texts: One for each.
        left: Nothing is put left of this.
        right: Nor right of this.
    """
    taken: list[Box] = [(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    places: list[tuple[float, float] | None] = []
    for (x, y), text in zip(points, texts, strict=True):
        width = LETTER * len(text)
        starts = [(across, y + up) for up in (4.0, -3.0, 11.0, -10.0, 18.0) for across in (x + GAP, x - GAP - width)]
        starts += [(x - width / 2, y - GAP - 1), (x - width / 2, y + GAP + LINE - 2)]
        free = (
            place
            for place in starts
            if place[0] >= left
            and place[0] + width <= right
            and not any(_overlap(_box(place, width), other) for other in taken)
        )
        found = next(free, None)
        places.append(found)
        if found is not None:
            taken.append(_box(found, width))
    return places


def _box(place: tuple[float, float], width: float) -> Box:
    x, y = place
    return x, y - LINE + 3, x + width, y + 2


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
