"""What samplers write beside a trial so that no two, in any process, work on the same architecture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from optiproxy.spaces import Architecture
    from optiproxy.storage.parameters import Parameters

ARCHITECTURE = "optiproxy:architecture"
"""System attribute: decision name -> value of what the trial is going to evaluate; None once it has been withdrawn."""

PREDICTED = "optiproxy:predicted"
"""System attribute: metric name -> value that the algorithm expects."""

UNSEEN = "optiproxy:unseen"
"""System attribute of a trial that algorithms do not see: why."""

Note = Mapping[str, str | int | float | bool | None] | str | float | None
"""What an attribute may hold: anything flat that JSON can store."""


def annotate(study: Study, trial: FrozenTrial | Trial, key: str, value: Note) -> None:
    """Write a system attribute, as Optuna's own samplers do; an Optuna trial object exists only in its own process."""
    storage, identity = study._storage, trial._trial_id  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    storage.set_trial_system_attr(identity, key, value)


def architecture_of(trial: FrozenTrial, parameters: Parameters) -> Architecture | None:
    """What a trial evaluates: its parameters if they are complete, else what it claims, else None."""
    found = parameters.decode(trial.params)
    claim = trial.system_attrs.get(ARCHITECTURE)
    return parameters.decode(claim) if found is None and isinstance(claim, Mapping) else found
