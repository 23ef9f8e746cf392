"""Measurements of time, which a training beside them would falsify."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

M = TypeVar("M", bound=Callable[..., Any])


def quiet(measure: M) -> M:
    """Mark a free metric of your own as one to be measured while no worker of the search trains.

    With several workers, trainings then begin together, and the next ones wait until all of these have ended. The times of
    `optiproxy.Costs` and `optiproxy.Repeated` are marked already.

    Example::

        @optiproxy.quiet
        def start_ms(network): ...

    Args:
        measure: A function; its mark is lost where another function calls it.

    Returns:
        The same function; for an object or method that takes no attributes, one that calls it.
    """
    try:
        cast("Any", measure).quiet = True
    except AttributeError:  # bound methods and frozen objects
        measure = cast("M", partial(measure))
        cast("Any", measure).quiet = True
    return measure


def is_quiet(measure: object) -> bool:
    """Whether it is marked so, or says so of itself by an attribute ``quiet``."""
    return getattr(measure, "quiet", False) is True
