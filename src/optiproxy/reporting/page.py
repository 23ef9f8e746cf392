"""Pages that need nothing but themselves: style, script and drawings inside one HTML file."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from optiproxy.errors import UsageError
from optiproxy.reporting.scale import number

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **content: object) -> str:
    """Fill in one of the templates; everything but drawings is escaped."""
    return _environment().get_template(template).render(**content)


def write(path: Path, text: str) -> Path:
    """Put a whole file in place at once, so that no reader meets half of it.

    Raises:
        UsageError: If the folder cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror or error}. Choose another folder.") from error
    return path


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
