"""A figure of matplotlib's that notebooks show; it needs matplotlib, so it is imported where one is made."""

from __future__ import annotations

from io import BytesIO
from typing import final

from matplotlib.figure import Figure


@final
class ShownFigure(Figure):
    """Shows itself: notebooks know matplotlib's own figures only once pyplot, which has global state, is imported."""

    def _repr_png_(self) -> bytes:
        """The figure as a PNG file, which is what IPython asks for."""
        image = BytesIO()
        self.savefig(image, format="png")
        return image.getvalue()
