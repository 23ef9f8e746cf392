"""OptiProxy: architecture search by gradient ascent through a learned proxy (Lyu et al. 2025, arXiv 2509.05656)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np
import torch
from torch import Tensor

from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Proposal
from optiproxy.optimizer.ascent import Ascent
from optiproxy.optimizer.gain import Gain
from optiproxy.optimizer.improvement import Improvement
from optiproxy.optimizer.remembering import Remembering
from optiproxy.optimizer.seen import Seen
from optiproxy.optimizer.selection import Selection
from optiproxy.proxy import Proxy, ProxyConfig, StructuralProxy, Targets
from optiproxy.spaces import Architecture, Space


@dataclass(frozen=True, kw_only=True)
class OptiProxyConfig:
    """The method as a product of its parts; the one default configuration serves every task.

    Attributes:
        proxy: Predicts metrics from relaxed architectures.
        ascent: Climbs the prediction.
        gain: What is climbed.
        selection: From relaxed to discrete.
        initial: Trials before the first ascent, as different from each other as random architectures get.
        starts: ``b`` parallel sets of architecture parameters; half of them near the incumbents, half anywhere.
        unlabelled: Random architectures that the proxy is pretrained on.
        candidates: As many of them are candidates for the first trials.
    """

    proxy: ProxyConfig = field(default_factory=ProxyConfig)
    ascent: Ascent = field(default_factory=Ascent)
    gain: Gain = field(default_factory=Gain)
    selection: Selection = field(default_factory=Selection)
    initial: int = 2
    starts: int = 16
    unlabelled: int = 1500
    candidates: int = 64


@final
class OptiProxy(Remembering):
    """An `Algorithm`: fit the proxy to all finished trials, ascend through it, evaluate what it finds most promising.

    The picture of the landscape is coarse at first and sharpens where the search goes. The proxy is refitted in closed
    form from its pretrained features each time, so that nothing but the trials is ever carried from call to call.

    Args:
        space: Where to search.
        goal: What to improve and which limits to keep.
        seed: Names all streams of random numbers.
        config: The parts of the method.
    """

    def __init__(self, space: Space, goal: Goal, *, seed: int, config: OptiProxyConfig | None = None) -> None:
        super().__init__(space, goal, seed=seed)
        self._config = config or OptiProxyConfig()
        self._mask = _choice_mask(space)
        self._proxy: Proxy | None = None

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Up to ``n`` architectures, the one with the largest gain first; random ones while no training has succeeded."""
        known = self._known.union(pending)
        rng = np.random.default_rng([self._seed, len(known)])
        measured = [trial for trial in self._trials if all(np.isfinite(self._goal.gains(trial.metrics)))]
        if len(known) < self._config.initial:
            proposals = self._spread_out(n, [*(trial.architecture for trial in self._trials), *pending])
        elif measured:
            proposals = self._ascend(n, known, rng)
        else:
            proposals = []
        found = known.union(proposal.architecture for proposal in proposals)
        return proposals + [Proposal(architecture) for architecture in found.draw(rng, n - len(proposals))]

    def _ascend(self, n: int, known: Seen, rng: np.random.Generator) -> list[Proposal]:
        config, space = self._config, self._space
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        targets = Targets.of(self._goal, [trial.metrics for trial in self._trials])
        proxy = self._fitted(targets)
        # One preference per start and, for the choice among discrete candidates, one per proposal.
        preferences = _preferences(rng, config.starts + n, len(self._goal.objectives))

        def gain_for(weights: Tensor) -> Callable[[Tensor], Tensor]:
            return lambda relaxed: config.gain(proxy(space.encode(relaxed)), weights)

        incumbents = self._incumbents(targets)
        starts = self._starts(incumbents, generator)
        peaks = config.ascent(starts, self._mask, gain_for(preferences[: config.starts]), generator)
        drawn = config.selection.candidates(space, peaks, mask=self._mask, incumbents=incumbents, generator=generator)

        # Canonical forms throughout: the encoding tells isomorphic architectures apart, the trainings do not.
        candidates = known.unseen(map(space.canonical, drawn))
        if not candidates:
            return []

        reached = torch.from_numpy(targets.scores[:, : len(self._goal.objectives)])
        front = reached[[self._goal.feasible(trial.metrics) for trial in self._trials]]

        def judge(found: Sequence[Architecture]) -> tuple[Tensor, Tensor]:
            """Predicted means ``(b, m)``, and the gain ``(n, b)`` under the preference of each proposal."""
            with torch.no_grad():
                prediction = proxy(space.encode(space.one_hot(found)))
                rows = [p.expand(len(found), -1) for p in preferences[config.starts :]]
                gains = torch.stack([config.gain(prediction, row) for row in rows])
                if len(self._goal.objectives) > 1:
                    # Proposals made at the same time keep to their preferences, and so apart.
                    gains[0] = Improvement(gain=config.gain)(prediction, front, reached.amin(0))
                return prediction.mean, gains

        means, gains = judge(candidates)
        seen = known.union(candidates)
        for _ in range(config.selection.rounds):
            leaders = gains.amax(0).argsort(descending=True)[: config.selection.leaders].tolist()
            around = seen.unseen(space.canonical(near) for i in leaders for near in space.neighbours(candidates[i]))
            if not around:
                break
            seen.update(around)
            candidates += around
            more = judge(around)
            means, gains = torch.cat([means, more[0]]), torch.cat([gains, more[1]], 1)
        # Validity may be expensive (a latency to measure), so it is asked in the order of the gain, as rarely as possible.
        chosen: list[int] = []
        for row in gains:
            ranked = (i for i in row.argsort(descending=True).tolist() if i not in chosen)
            best = next((i for i in ranked if space.is_valid(candidates[i])), None)
            if best is None:
                break
            chosen.append(best)
        return [Proposal(candidates[i], targets.describe(self._goal, means[i].tolist())) for i in chosen]

    def _spread_out(self, n: int, known: Sequence[Architecture]) -> list[Proposal]:
        """The first trials: of some random candidates, those that the untrained proxy finds farthest from each other.

        Two opposite architectures say more about a trend than two that may be alike by chance.
        """
        candidates = [self._space.canonical(a) for a in self._unlabelled[: self._config.candidates]]
        proxy = self._pretrained()
        with torch.no_grad():
            points = proxy.features(self._space.encode(self._space.one_hot(candidates)))
            reached = proxy.features(self._space.encode(self._space.one_hot(known))) if known else points[:0]
        found = Seen(self._space, known)
        chosen: list[Proposal] = []
        while len(chosen) < n:
            distances = torch.cdist(points, reached).amin(1) if len(reached) else torch.cdist(points, points).amax(1)
            ranked = distances.argsort(descending=True).tolist()
            best = next((i for i in ranked if candidates[i] not in found and self._space.is_valid(candidates[i])), None)
            if best is None:
                break
            chosen.append(Proposal(candidates[best]))
            found.add(candidates[best])
            reached = torch.cat([reached, points[best : best + 1]])
        return chosen

    @cached_property
    def _unlabelled(self) -> list[Architecture]:
        """Random architectures, always the same ones."""
        return self._space.examples(np.random.default_rng([self._seed, 0]), self._config.unlabelled)

    def _pretrained(self) -> Proxy:
        if self._proxy is None:
            graphs = self._space.encode(self._space.one_hot(self._unlabelled))
            self._proxy = StructuralProxy(graphs, self._config.proxy, seed=self._seed)
        return self._proxy

    def _fitted(self, targets: Targets) -> Proxy:
        proxy = self._pretrained()
        known = [self._space.canonical(trial.architecture) for trial in self._trials]
        graphs = self._space.encode(self._space.one_hot(known))
        proxy.fit(graphs, torch.tensor(targets.scores, dtype=torch.float32))
        return proxy

    def _incumbents(self, targets: Targets) -> list[Architecture]:
        """The trials' architectures, best first: feasible before infeasible, then by the sum of the objectives' scores."""
        objective = targets.scores[:, : len(self._goal.objectives)].sum(1)
        feasible = np.array([self._goal.feasible(trial.metrics) for trial in self._trials])
        order = np.lexsort((-objective, ~feasible))
        return [self._space.canonical(self._trials[i].architecture) for i in order]

    def _starts(self, incumbents: Sequence[Architecture], generator: torch.Generator) -> Tensor:
        """``(b, d, c)`` initial architecture parameters."""
        b = self._config.starts
        parameters = torch.randn(b, *self._mask.shape, generator=generator)
        near = self._space.one_hot([incumbents[i % len(incumbents)] for i in range(b // 2)])
        parameters[: b // 2] += 2.0 * near
        return parameters


def _choice_mask(space: Space) -> Tensor:
    """``(d, c)``: True where the decision has that choice."""
    counts = torch.tensor([len(decision.choices) for decision in space.decisions])
    return torch.arange(space.widest)[None, :] < counts[:, None]


def _preferences(rng: np.random.Generator, n: int, objectives: int) -> Tensor:
    """``(n, objectives)`` uniform on the simplex; all ones where there is one objective."""
    return torch.tensor(rng.dirichlet(np.ones(objectives), size=n), dtype=torch.float32)
