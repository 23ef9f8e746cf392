"""Write docs/reference.md: every public name with its signature and the first sentence of its docstring."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "reference.md"

MODULES = ("optiproxy", "optiproxy.nn")
"""Whose ``__all__`` is public."""


def page() -> str:
    """Return the page as it should be."""
    parts = [
        "# Reference\n",
        "Every public name, with the first sentence of its docstring; `help(name)` has the rest. Made by `make reference`.\n",
    ]
    for name in MODULES:
        module = import_module(name)
        parts.append(f"## `{name}`\n")
        parts.append("| name | what it is |\n|---|---|")
        parts += [_row(public, getattr(module, public)) for public in module.__all__ if not public.startswith("__")]
        parts.append("")
    return "\n".join(parts)


def _row(name: str, what: object) -> str:
    text = inspect.getdoc(what) or ""
    sentence = re.split(r"(?<=[.])\s", " ".join(text.split("\n\n")[0].split()))[0]
    return f"| `{name}` | {sentence.replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
