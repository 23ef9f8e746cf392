"""The published spaces, by name, and spaces of a user's own, by where they are defined."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from optiproxy.errors import UsageError, unknown
from optiproxy.spaces import FlatSpace, Space

SPACES = {
    "darts": "optiproxy.spaces.published.darts:DARTS",
    "nasbench-nlp": "optiproxy.spaces.published.recurrent:RecurrentSpace",
    "nasbench101": "optiproxy.spaces.published.nasbench101:NASBench101",
    "nasbench201": "optiproxy.spaces.published.nasbench201:NASBench201",
}
"""Name -> ``"module:class"``."""


def space(name: str) -> Space:
    """A published space, or what ``MODULE:NAME`` defines in the current folder.

    Args:
        name: One of `SPACES`, or for example ``"my_search:space"``: a `Space`, a mapping of choices, or a function that
            builds a network out of the parts of `optiproxy.nn`.

    Raises:
        UsageError: If there is none of this name, or it is nothing of the kind.
    """
    if ":" in name:
        return _own(name)
    if name not in SPACES:
        raise unknown("space", name, SPACES)
    module, _, attribute = SPACES[name].partition(":")
    return getattr(import_module(module), attribute)()


def _own(name: str) -> Space:
    module, _, attribute = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = getattr(import_module(module.removesuffix(".py").replace("/", ".")), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"Expected MODULE:NAME of a space, got {name!r}: {error}.") from error
    if isinstance(found, Space):
        return found
    if isinstance(found, Mapping):
        return FlatSpace(found)  # pyright: ignore[reportUnknownArgumentType] - the space checks it
    if callable(found):
        return Space.from_model(cast("Any", found))
    raise UsageError(
        f"Expected a space, a mapping of choices or a function that builds a network, got {type(found).__name__} {name!r}."
    )
