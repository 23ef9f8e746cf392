"""Pages that need nothing but themselves: style, script and drawings inside one HTML file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from optiproxy.reporting.svg.scale import number

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **content: object) -> str:
    """Fill in one of the templates; everything but drawings is escaped."""
    return _environment().get_template(template).render(**content)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("optiproxy.reporting", "templates")
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["number"] = number
    return made
