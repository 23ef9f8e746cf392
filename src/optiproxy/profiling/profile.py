"""What a search would meet: how large the space is, what fits, what it costs, and what speaks against starting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optiproxy.metrics import Limit, Metric, Metrics
from optiproxy.task.protocol import QueryProtocol

_SCARCE = 0.01
"""Where a smaller share of the space is feasible, every proposal becomes a search of its own."""


@dataclass(frozen=True)
class Share:
    """How many members of a set have a property, counted in all of them or estimated from random draws.

    Attributes:
        hits: Draws that have the property.
        of: All draws, at least one.
        exact: Whether the draws were the whole set, so that nothing is estimated.
    """

    hits: int
    of: int
    exact: bool = False

    @property
    def value(self) -> float:
        """The share among the draws, in [0, 1]."""
        return self.hits / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the share in the whole set (Wilson 1927), which holds at 0 and 1, too."""
        if self.exact:
            return self.value, self.value
        # Imported where it is needed: scipy's statistics take a second to load.
        from scipy.stats import binomtest

        found = binomtest(self.hits, self.of).proportion_ci(method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is known of a search before its first query.

    Attributes:
        task: Name of the task; empty for a space alone.
        space: Name of the space.
        size: Number of combinations of choices.
        choices: Number of choices of each decision; 1 for a number with many values.
        continuous: Number of decisions that are continuous numbers.
        valid: Share of the combinations that are architectures.
        measured: Free metrics of each architecture that was drawn; None where they could not be measured.
        measures: Declarations of these metrics.
        problem: Why a measurement failed, as an example; empty where none did.
        seconds_per_measurement: Median time that the free metrics of one architecture take; None where there are none.
        limits: Limits that are checked before a query.
        queried: Limits that can be checked only after a query.
        feasible: Share of the valid architectures that keep all of `limits`; None where nothing was drawn.
        kept: The same share for each limit alone.
        budget: Number of queries that are planned, without promotions; None where none was given.
        protocol: The fidelity of the queries, and how many are promoted.
        training_seconds: Time of one query; None where unknown.
    """

    task: str
    space: str
    size: int
    choices: tuple[int, ...]
    continuous: int
    valid: Share
    measured: tuple[Metrics | None, ...]
    measures: tuple[Metric, ...]
    problem: str
    seconds_per_measurement: float | None
    limits: tuple[Limit, ...]
    queried: tuple[Limit, ...]
    feasible: Share | None
    kept: Mapping[str, Share]
    budget: int | None
    protocol: QueryProtocol
    training_seconds: float | None

    def values(self, metric: str) -> list[float]:
        """Return a free metric of every architecture in which it could be measured, ascending."""
        return sorted(metrics[metric] for metrics in self.measured if metrics is not None and metric in metrics)

    @property
    def architectures(self) -> int | None:
        """About how many are valid and keep the limits known before a query; None where nobody could count them.

        This is where they are too rare to be met, or continuous.
        """
        if self.continuous or (self.measured and not self.valid.hits):
            return None
        # Where nothing was drawn, nothing speaks against any architecture.
        feasible = self.feasible or Share(1, 1)
        # Sizes beyond what a float holds stay whole numbers.
        return self.size * self.valid.hits * feasible.hits // (self.valid.of * feasible.of)

    @property
    def total_seconds(self) -> float | None:
        """Time of all evaluations, one after the other; None where the budget or the time of one is unknown."""
        if self.budget is None or self.training_seconds is None:
            return None
        lower, full = self.protocol.fidelity, self.protocol.full
        # A training takes as long as it has epochs.
        longer = full / lower if lower and full else 1.0
        return self.training_seconds * (self.budget + self.protocol.promote * longer)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What speaks against starting this search as it is, one sentence or two each."""
        # The most serious first: what comes later hardly matters where nothing is valid or feasible.
        return tuple(filter(None, (self._nothing_valid, self._scarce, self._unmeasured, self._small, self._large)))

    @property
    def _nothing_valid(self) -> str:
        if self.measured:
            return ""
        return "No valid architecture was met. Check the rules of the space."

    @property
    def _scarce(self) -> str:
        if self.feasible is None or self.feasible.value >= _SCARCE:
            return ""
        limits = ", ".join(map(str, self.limits))
        # A sample without any does not mean that there are none: the end of the interval says how many there may be.
        most = self.feasible.interval[1]
        if self.feasible.hits or not self.limits:
            return f"Few architectures keep {limits}: {self.feasible.value:.1%}. Each proposal will take long to find."
        left = "nothing" if self.feasible.exact else f"nothing, or at most {most:.1%} of the architectures"
        return f"The limits {limits} leave {left}. Loosen them or widen the space."

    @property
    def _unmeasured(self) -> str:
        failed = sum(metrics is None for metrics in self.measured)
        if not failed:
            return ""
        return f"{failed} of {len(self.measured)} architectures could not be measured: {self.problem.rstrip('.')}."

    @property
    def _small(self) -> str:
        # A query for each decision, and for each choice of the largest one: less leaves something that was never tried.
        wanted = max(10, len(self.choices), *self.choices)
        there = wanted if self.architectures is None else self.architectures
        if self.budget is None or self.budget >= min(wanted, there):
            return ""
        # Where all decisions are numbers there are no choices to speak of.
        most = f" with up to {max(self.choices)} choices" if max(self.choices) > 1 else ""
        return (
            f"A budget of {self.budget} is small for {len(self.choices)} decision{'s'[: len(self.choices) > 1]}{most}: "
            f"with fewer than about {wanted} queries, no algorithm learns what each of them does."
        )

    @property
    def _large(self) -> str:
        if self.budget is None or not self.architectures or self.budget <= self.architectures:
            return ""
        return (
            f"The budget of {self.budget} is more than it takes: only about {self.architectures:,} architectures fit."
        )
