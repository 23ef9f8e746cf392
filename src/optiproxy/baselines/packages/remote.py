"""Algorithms whose packages live in environments of their own: one factory each; `servers` holds what they run."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import final

import numpy as np

from optiproxy.baselines.baseline import ConstrainedLoss, penalized_losses, scalarized_losses
from optiproxy.baselines.packages.environments import ENVIRONMENTS
from optiproxy.baselines.packages.pipe import Server
from optiproxy.baselines.packages.search import OpenDecisions, PackageSearch
from optiproxy.errors import PackageError
from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Trial
from optiproxy.spaces import Architecture, Decision, Space
from optiproxy.spaces.scales import Scale

_SERVERS = Path(__file__).parent / "servers"


@final
@dataclass(frozen=True)
class Served:
    """An `AlgorithmFactory` of what a script suggests, run by any interpreter.

    Attributes:
        python: The interpreter that has the package.
        script: See `optiproxy.baselines.packages.pipe.Server`.
    """

    python: Path
    script: Path

    def __call__(self, space: Space, goal: Goal, *, seed: int) -> PackageSearch:
        """Build the algorithm; its process starts with the first question."""
        server = _server(self.python, self.script, os.getpid())
        suggester = RemoteSuggester(space, goal, server=server, seed=seed)
        return PackageSearch(space, goal, seed=seed, suggester=suggester)


@final
@dataclass(frozen=True)
class RemotePackage:
    """An `AlgorithmFactory` of what a script of `servers` suggests, whose package may be missing.

    Attributes:
        environment: Name of the environment with the package.
        script: Name of the file in `servers`, whose description says what is asked how often.
    """

    environment: str
    script: str

    def __call__(self, space: Space, goal: Goal, *, seed: int) -> PackageSearch:
        """Build the algorithm.

        Raises:
            PackageError: If its environment is missing.
        """
        # Looked at here and not at the first question, so that a search fails before it has evaluated anything.
        environment = ENVIRONMENTS[self.environment]
        if environment.problem:
            raise PackageError(environment.problem)
        served = Served(environment.python, _SERVERS / f"{self.script}.py")
        return served(space, goal, seed=seed)


@cache
def _server(python: Path, script: Path, process: int) -> Server:  # noqa: ARG001 - a forked process needs its own
    """Return the server that all searches of a process share, because it keeps nothing between questions."""
    return Server(python, script)


@final
class RemoteSuggester:
    """A `Suggester`: puts each question to a server together with all trials, so that the server needs no memory.

    Args:
        space: The space to search.
        goal: Objectives and limits. Limits and several objectives come as one loss too, see `optiproxy.baselines.baseline`.
        server: The server of the package.
        seed: Seed of the search.
    """

    def __init__(self, space: Space, goal: Goal, *, server: Server, seed: int) -> None:
        self._decisions = OpenDecisions(space)
        self._parameters = tuple(map(Parameter.of, self._decisions.decisions))
        self._goal = goal
        self._server = server
        self._seed = seed

    def suggest(
        self, trials: Sequence[Trial], pending: Sequence[Architecture], *, seed: int
    ) -> Generator[Architecture, None, None]:
        if not self._parameters:
            return
        read = [ConstrainedLoss.of(self._goal, trial.metrics) for trial in trials]
        # Like ParEGO, under another preference among the objectives for each proposal.
        weights = np.random.default_rng(seed).dirichlet(np.ones(len(self._goal.objectives)))
        objective = scalarized_losses(read, weights.tolist())
        # One question serves all packages: those that model limits read the objective and the violations, the others the
        # loss, which has the violations in it.
        question = {
            "counts": [parameter.count for parameter in self._parameters],
            "levels": [parameter.levels for parameter in self._parameters],
            "trials": [self._told(trial.architecture) for trial in trials],
            "objective": objective,
            "loss": penalized_losses(read, objective),
            "violations": [loss.violations for loss in read],
            "pending": [self._told(architecture) for architecture in pending],
            # Two seeds: what has to stay the same during a search, like an initial design, goes by the one of the
            # search; what is drawn for a single proposal goes by that of the step.
            "seed": self._seed,
            "step": seed,
        }
        for chosen in self._server.suggestions(question):
            positions = [parameter.position(number) for parameter, number in zip(self._parameters, chosen, strict=True)]
            yield self._decisions.architecture(positions)

    def _told(self, architecture: Architecture) -> list[float]:
        positions = self._decisions.choices(architecture)
        return [parameter.told(position) for parameter, position in zip(self._parameters, positions, strict=True)]


@final
@dataclass(frozen=True)
class Parameter:
    """How a server is told of a decision, and tells what to choose.

    Of a list of choices, ordered or not, by positions. Of a number with many values by its place on its scale, from 0 to
    1: packages that know logarithmic scales compute with just that, and the others need not know them.

    Attributes:
        count: Number of choices; None for a number with many values.
        levels: Places of ordered choices on their scale, the first 0 and the last 1; None for categories, and for a number
            with many values.
        scale: The scale of a number with many values, else None.
    """

    count: int | None
    levels: tuple[float, ...] | None
    scale: Scale | None

    @classmethod
    def of(cls, decision: Decision) -> Parameter:
        """Describe a decision."""
        if decision.point is not None:
            return cls(None, None, decision.point)
        count, scale = len(decision.choices), decision.scale
        # Two choices have no order that would tell anything; CatCMA for one asks for them as categories.
        levels = tuple(map(scale.unit, range(count))) if scale is not None and count > 2 else None
        return cls(count, levels, None)

    def told(self, position: int) -> float:
        """Return what a server is told: the position, or the place of a number with many values on its scale."""
        return position if self.scale is None else self.scale.unit(position)

    def position(self, told: float) -> int:
        """Return the inverse of `told`; the nearest value where a server has chosen one between two.

        Raises:
            PackageError: If it is not among the choices, or not on the scale.
        """
        # Rounding may leave the range by a last digit.
        if self.scale is not None and -1e-9 <= told <= 1 + 1e-9:
            return self.scale.at(told)
        if self.count is None or told not in range(self.count):
            wanted = "a place from 0 to 1" if self.count is None else f"a position below {self.count}"
            raise PackageError(
                f"Expected {wanted} from the package, got {told}. Choose another algorithm for this task."
            )
        return int(told)


catcma = RemotePackage("cmaes", "catcma")
smac_rf = RemotePackage("smac", "smac_rf")
syne_bore = RemotePackage("syne-tune", "syne_bore")
syne_cqr = RemotePackage("syne-tune", "syne_cqr")
dehb = RemotePackage("dehb", "dehb")
botorch_mixed = RemotePackage("botorch", "botorch_mixed")
