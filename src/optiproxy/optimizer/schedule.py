"""When the proxy is fitted anew: after every trial, or once for a batch of trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from optiproxy.errors import UsageError
from optiproxy.optimizer.records import Round
from optiproxy.spaces import Architecture


@final
@dataclass(frozen=True)
class EveryTrial:
    """A `Schedule` with one round for each proposal, which depends on no earlier round."""

    def rounds(self, trials: int, pending: Sequence[Architecture], n: int) -> Sequence[Round]:
        return (Round(trials, tuple(pending), n),)


@final
@dataclass(frozen=True)
class Batches:
    """A `Schedule` with one round for every ``size`` trials, each of which goes on from the one before.

    A round depends on the trials that it starts from and on nothing that finishes during it, so that the published
    batches are kept even where one proposal is asked for at a time.

    Attributes:
        initial: Number of random trials before the first round.
        size: Number of trials in each round.

    Raises:
        UsageError: If there is no first trial, or a round has none.
    """

    initial: int = 10
    size: int = 10

    def __post_init__(self) -> None:
        if self.initial < 1 or self.size < 1:
            raise UsageError(f"Expected at least 1 random trial and 1 per round, got {self.initial} and {self.size}.")

    def rounds(self, trials: int, pending: Sequence[Architecture], n: int) -> Sequence[Round]:  # noqa: ARG002 - see above
        return tuple(Round(start, (), 1) for start in range(self.initial, trials + 1, self.size))
