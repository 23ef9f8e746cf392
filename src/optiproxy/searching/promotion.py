"""Which architectures are promoted: queried again at the full fidelity after a lower one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optiproxy.metrics import Goal
from optiproxy.spaces import Architecture, Space
from optiproxy.storage.record import Record


def best_at_lower_fidelity(records: Sequence[Record], goal: Goal, space: Space, count: int) -> list[Record]:
    """The ``count`` best of the records below the full fidelity, best first, no two of them isomorphic.

    What breaks a limit there is left out. With one objective the order is that of its values; with several, of two the
    one that fewer others dominate comes first (Fonseca and Fleming 1993), then the better in the first objective.
    """
    found = [record for record in records if record.fidelity is not None and goal.feasible(record.metrics)]
    gains = np.array([goal.gains(record.metrics) for record in found]).reshape(len(found), len(goal.objectives))
    beaten = (gains >= gains[:, None]).all(-1) & (gains > gains[:, None]).any(-1)
    chosen: dict[Architecture, Record] = {}
    # Stable: of equal ones the one that finished first.
    for i in np.lexsort((-gains[:, 0], beaten.sum(1))).tolist():
        chosen.setdefault(space.canonical(found[i].architecture), found[i])
    return list(chosen.values())[:count]


def awaiting_promotion(records: Sequence[Record], goal: Goal, space: Space, count: int) -> list[Record]:
    """Those of `best_at_lower_fidelity` that no record at the full fidelity answers, be it a failed one."""
    answered = {space.canonical(record.architecture) for record in records if record.fidelity is None}
    chosen = best_at_lower_fidelity(records, goal, space, count)
    return [record for record in chosen if space.canonical(record.architecture) not in answered]
