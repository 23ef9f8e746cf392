"""Random search without repetition: the baseline that every method must beat (Li and Talwalkar, UAI 2019, 1902.07638)."""

from __future__ import annotations

from typing import final

from optiproxy.baselines.baseline import Baseline


@final
class RandomSearch(Baseline):
    """An `Algorithm` that draws each decision uniformly and never the same network twice: one without candidates."""
