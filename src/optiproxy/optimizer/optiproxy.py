"""OptiProxy: architecture search by gradient ascent through a learned proxy (Lyu et al. 2025, arXiv 2509.05656)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

import numpy as np
import torch
from torch import Tensor

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal
from optiproxy.optimizer.acquisition import HypervolumeImprovement
from optiproxy.optimizer.algorithm import LEVEL, ObservingAlgorithm, Proposal
from optiproxy.optimizer.ascent import Ascent
from optiproxy.optimizer.model import Model
from optiproxy.optimizer.parts import Acquisition, Climb, InitialDesign, Schedule, Selection, Starts
from optiproxy.optimizer.records import Candidates, Problem, Round
from optiproxy.optimizer.schedule import EveryTrial
from optiproxy.optimizer.seen import Seen
from optiproxy.optimizer.selection import LocalSelection
from optiproxy.optimizer.starts import MaximinDesign, NearIncumbents
from optiproxy.proxy import Conditional, Prediction, Predictor, Proxy, StructuralProxy
from optiproxy.proxy.networks import torch_stream
from optiproxy.proxy.targets import Normalization, Targets
from optiproxy.spaces import Architecture, Space


class RoundResult(NamedTuple):
    """What a round leaves to the next one."""

    round: Round | None = None
    predictor: Predictor | None = None
    peaks: Tensor | None = None
    targets: Targets | None = None
    candidates: Candidates | None = None


@final
class OptiProxy(ObservingAlgorithm):
    """An `Algorithm` in three steps: fit the proxy, ascend through it, select what it finds most promising.

    The picture of the landscape is coarse at first and sharpens where the search goes, because later trials fall there.
    The method is the product of its parts; each is described in `optiproxy.optimizer.parts` and is replaced by passing
    another object. The defaults are the one configuration that serves every task; `published` is the paper's own.

    Example::

        OptiProxy(space, goal, seed=0, acquisition=HypervolumeImprovement(UpperConfidenceBound(beta=1.0)))

    Args:
        space: Where to search.
        goal: What to improve, and which limits to keep.
        seed: Names all streams of random numbers.
        initial: Chooses the trials before the first ascent.
        proxy: Predicts scores from relaxed graphs.
        normalization: Turns metrics into the scores that the proxy learns.
        starts: Where the ascents begin.
        ascent: Climbs the acquisition function over relaxed architectures.
        acquisition: Says what an architecture is worth trying.
        selection: From relaxed to discrete architectures.
        schedule: When the proxy is fitted anew.

    Raises:
        UsageError: If something else than such a part arrives in its place.
    """

    def __init__(
        self,
        space: Space,
        goal: Goal,
        *,
        seed: int,
        initial: InitialDesign = MaximinDesign(),
        proxy: Proxy = StructuralProxy(),
        normalization: Normalization = Normalization(),
        starts: Starts = NearIncumbents(),
        ascent: Climb = Ascent(),
        acquisition: Acquisition = HypervolumeImprovement(),
        selection: Selection = LocalSelection(),
        schedule: Schedule = EveryTrial(),
    ) -> None:
        super().__init__(space, goal, seed=seed)
        _check_part("initial", initial, "__call__", "size")
        _check_part("proxy", proxy, "unlabelled", "pretrain", "fit")
        _check_part("normalization", normalization, "__call__")
        _check_part("starts", starts, "__call__")
        _check_part("ascent", ascent, "__call__")
        _check_part("acquisition", acquisition, "__call__", "rank")
        _check_part("selection", selection, "__call__")
        _check_part("schedule", schedule, "rounds")
        self._problem = Problem(space, goal, seed)
        self._initial = initial
        self._model = Model(self._problem, proxy, normalization)
        self._starts = starts
        self._ascent = ascent
        self._acquisition = acquisition
        self._selection = selection
        self._schedule = schedule
        self._latest = RoundResult()

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Up to ``n`` architectures, the most promising first; random ones while no training has succeeded."""
        seen = self._seen.union(pending)
        if len(seen) < self._initial.size:
            taken = [*(trial.architecture for trial in self._trials), *pending]
            designed = self._initial(
                n, problem=self._problem, examples=self._model.examples, features=self._model.features, taken=taken
            )
            proposals = [Proposal(architecture) for architecture in designed]
        else:
            self._catch_up(self._schedule.rounds(len(self._trials), pending, n))
            proposals = self._choose(n, seen)
        found = seen.union(proposal.architecture for proposal in proposals)
        rng = np.random.default_rng([self._seed, len(seen)])
        return proposals + [Proposal(architecture) for architecture in found.draw(rng, n - len(proposals))]

    def _catch_up(self, rounds: Sequence[Round]) -> None:
        """Run the rounds that this instance has not run yet; a search that was interrupted repeats some."""
        if self._latest.round not in rounds:
            self._latest = RoundResult()
        else:
            rounds = rounds[rounds.index(self._latest.round) + 1 :]
        for round_ in rounds:
            self._latest = self._run(round_)

    def _run(self, round_: Round) -> RoundResult:
        """One round of the method."""
        problem, space = self._problem, self._space
        trials = self._trials[: round_.trials]
        if not any(all(np.isfinite(self._goal.gains(trial.metrics))) for trial in trials):
            return self._latest._replace(round=round_, candidates=None)
        finished = self._seen if len(trials) == len(self._trials) else Seen(space, [t.architecture for t in trials])
        seen = finished.union(round_.pending)
        rng = np.random.default_rng([self._seed, len(seen)])
        generator = torch_stream(rng)

        # 1. Fit the proxy to all finished trials.
        history = self._model.history(trials)
        fitted = self._model.fit(history, previous=self._latest.predictor, generator=generator)
        predictor = self._besides(fitted, round_.pending)

        # 2. Ascend: the gradient of the acquisition function flows through the proxy and the graph to the choices.
        starts = self._starts(problem, history, previous=self._latest.peaks, generator=generator)
        # One preference among the objectives for each ascent and for each proposal, uniform on the simplex.
        preferences = torch.tensor(
            rng.dirichlet(np.ones(history.objectives), size=len(starts) + round_.proposals), dtype=torch.float32
        )

        def value(relaxed: Tensor) -> Tensor:
            return self._acquisition(predictor(space.graphs(relaxed)), preferences[: len(starts)])

        peaks = self._ascent(starts, problem.layout, value, generator)

        # 3. Select: discrete architectures, judged by the proxy without relaxation.
        def score(architectures: Sequence[Architecture]) -> tuple[Prediction, Tensor]:
            with torch.no_grad():
                prediction = Prediction.joined([predictor(part) for part in problem.parts(architectures)])
                values = self._acquisition.rank(prediction, preferences[len(starts) :], history, self._goal)
                return prediction, values

        candidates = self._selection(
            peaks, problem=problem, history=history, seen=seen, score=score, generator=generator
        )
        if candidates is not None and predictor is not fitted:
            # What is told of a proposal is what is known, without the trainings that have not finished.
            with torch.no_grad():
                parts = [fitted(part) for part in problem.parts(candidates.architectures)]
            candidates = candidates._replace(prediction=Prediction.joined(parts))
        return RoundResult(round_, fitted, peaks, history.targets, candidates)

    def _besides(self, predictor: Predictor, pending: Sequence[Architecture]) -> Predictor:
        """A predictor by which nobody looks for what a running training is going to tell anyway."""
        if not pending or not isinstance(predictor, Conditional):
            return predictor
        return predictor.given(self._problem.graphs([self._space.canonical(running) for running in pending]))

    def _choose(self, n: int, seen: Seen) -> list[Proposal]:
        """Of each preference's candidates the best that is valid and was not chosen yet."""
        found, targets = self._latest.candidates, self._latest.targets
        if found is None or targets is None:
            return []
        chosen: list[int] = []
        seen = seen.apart(found.spacing)
        for row in found.ranking.expand(n, -1) if len(found.ranking) == 1 else found.ranking[:n]:
            # Validity may be expensive (a latency to measure), so it is asked from the best on, as rarely as possible.
            unseen = (i for i in row.tolist() if seen.unseen([found.architectures[i]]))
            best = next((i for i in unseen if self._space.is_valid(found.architectures[i])), None)
            if best is None:
                break
            chosen.append(best)
            seen.add(found.architectures[best])
        return [self._proposal(found, targets, i) for i in chosen]

    def _proposal(self, found: Candidates, targets: Targets, i: int) -> Proposal:
        """One of the candidates, with what is expected of it in the metrics' units."""
        mean, std = found.prediction.mean[i].tolist(), found.prediction.measured[i].tolist()
        return Proposal(
            found.architectures[i],
            targets.describe(self._goal, mean),
            targets.intervals(self._goal, mean, std, level=LEVEL),
        )


def _check_part(name: str, part: object, *members: str) -> None:
    """Refuse at once what would fail after the first trainings: None, a class in place of an object, another kind of part."""
    lacking = [member for member in members if not hasattr(part, member)]
    if isinstance(part, type):
        raise UsageError(
            f"Expected an object for the part {name!r}, got the class {part.__name__}. Write {part.__name__}()."
        )
    if lacking:
        raise UsageError(
            f"Expected the part {name!r} to have {', '.join(lacking)}, got {type(part).__name__} {part!r}. "
            "optiproxy.optimizer.parts says what each part has to do."
        )
