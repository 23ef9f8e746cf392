"""When a search ends before its budget: because it has what was wanted, or because it cannot get anywhere."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast, final

from optiproxy.errors import SearchFailed, UsageError, nearest
from optiproxy.metrics import Goal
from optiproxy.results.result import Reason
from optiproxy.storage.record import Record
from optiproxy.task.values import LIKENESS

LIKELY = 2
"""The same where a metric of nearly that name is returned."""

LACKING = 5
"""Results without a limited metric, and none with it, after which it is taken to be missing in all."""


@dataclass(frozen=True, kw_only=True)
class StopRules:
    """What ends a search early.

    Attributes:
        target: Value of the first objective that is good enough.
        patience: Number of queries without a better one.
        seconds: Wall time of this call. What runs then is still finished.
        failures: So many failures of one kind before anything has succeeded; None for any number.

    Raises:
        UsageError: If a number is not above 0, or the target is not finite.
    """

    target: float | None = None
    patience: int | None = None
    seconds: float | None = None
    failures: int | None = 3

    def __post_init__(self) -> None:
        for name, value in (("patience", self.patience), ("max_failures", self.failures)):
            if value is not None:
                check_whole(name, value, 1)
        if self.seconds is not None and not is_positive(self.seconds):
            raise UsageError(f"Expected max_seconds to be above 0, got {self.seconds!r}.")
        if self.target is not None and not is_number(self.target):
            raise UsageError(f"Expected a finite target, got {self.target!r}.")


def is_number(value: object) -> bool:
    """Whether it is a finite number, and no truth value or text that would pass for one."""
    # Not `isinstance`: numbers of numpy are welcome.
    try:
        return not isinstance(value, bool | str | bytes) and math.isfinite(cast("float", value))
    except (TypeError, ValueError, OverflowError):
        return False


def is_positive(value: object) -> bool:
    """The same, above 0."""
    return is_number(value) and cast("float", value) > 0


def check_whole(name: str, value: object, low: int) -> None:
    """Raise `UsageError` unless a setting is a whole number from ``low`` on that fits into 64 bits."""
    whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not whole or not low <= int(cast("int", value)) < 2**63:
        # Python does not write numbers of thousands of digits.
        shown = "one of hundreds of digits" if whole and abs(int(cast("int", value))) > 10**100 else repr(value)
        raise UsageError(f"Expected a whole number from {low} to 2**63 - 1 as {name}, got {shown}.")


@final
@dataclass
class RunningSearch:
    """A search that is going on, as callbacks are shown it.

    Attributes:
        goal: What is searched for.
        total: Queries in all.
        records: What has finished, in that order, earlier runs included.
        stopping: Whether somebody has asked for an end.
    """

    goal: Goal
    total: int
    records: list[Record] = field(default_factory=list[Record])
    stopping: bool = False

    def stop(self) -> None:
        """Ask for no further queries; what runs is finished."""
        self.stopping = True

    @property
    def best(self) -> Record | None:
        """The feasible record at the full fidelity with the best first objective; None as long as there is none."""
        full = [record for record in self.records if record.fidelity is None]
        return next((full[i] for i in self.goal.leading([record.metrics for record in full], 1)), None)


@final
class Stopping:
    """Applies the rules, after each record.

    Args:
        rules: When to stop.
        search: What has finished so far; the caller keeps it up to date.
    """

    def __init__(self, rules: StopRules, search: RunningSearch) -> None:
        self._rules = rules
        self._search = search
        self._before = len(search.records)
        self._began = time.monotonic()

    def reason(self) -> Reason | None:
        """Why no further query is to be made; None where there is no reason."""
        rules, search = self._rules, self._search
        if search.stopping:
            return "callback"
        if rules.seconds is not None and time.monotonic() - self._began >= rules.seconds:
            return "time"
        if rules.target is not None and self._reaches(rules.target):
            return "target"
        if rules.patience is not None and search.best is not None and self._since_better() >= rules.patience:
            return "patience"
        return None

    def _reaches(self, target: float) -> bool:
        best, objective = self._search.best, self._search.goal.objectives[0]
        return best is not None and objective.gain(best.metrics) >= objective.gain({objective.metric: target})

    def _since_better(self) -> int:
        """How many queries have finished since the latest one that nothing beats."""
        records = self._search.records
        full = [i for i, record in enumerate(records) if record.fidelity is None]
        front = self._search.goal.front([records[i].metrics for i in full])
        return len(records) - 1 - full[front[-1]]

    def check(self, missing: Sequence[str]) -> None:
        """Raise `SearchFailed` where the rest of the budget would be lost, too.

        Args:
            missing: Limited metrics that the training that has just finished did not return.
        """
        search = self._search
        done = search.records[self._before :]
        succeeded = [record for record in search.records if record.state != "failed"]
        # One that some lack makes these infeasible; of a misspelt one there is a near name, or nobody ever returns it.
        if missing and not any(missing[0] in record.metrics for record in succeeded):
            last = succeeded[-1]
            guess = nearest(missing[0], last.metrics, likeness=LIKENESS)
            if len(succeeded) >= (LIKELY if guess else LACKING):
                raise SearchFailed(
                    f"The trainings so far returned {', '.join([*last.metrics])}, but no {missing[0]!r}, which a limit is on, so "
                    f"no result could be feasible. {guess or 'Nothing has a name like it.'} Return it, or measure it with free=."
                )
        most = self._rules.failures
        if succeeded or most is None or len(done) < most or len({record.kind for record in done[-most:]}) > 1:
            return
        failed = SearchFailed(
            f"Nothing has succeeded, and the last {most} trainings failed alike: {done[-1].reason} Mend the function "
            "and make the same call again, which tries these queries again first; max_failures=None goes on regardless."
        )
        if done[-1].traceback:
            # Python shows notes below the message; a search without storage leaves no record behind.
            failed.add_note(done[-1].traceback)
        raise failed
