"""WeakNAS (Wu, Dai, Chen, Chen, Liu, Yu, Wang, Liu, Chen and Yuan, NeurIPS 2021, arXiv 2102.10490)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from optiproxy.baselines.baseline import Array, standardized
from optiproxy.baselines.predictor_based.rounds import History, RoundConfig, RoundSearch, best_first, pool
from optiproxy.proxy.networks import Perceptron, Training, torch_stream, train
from optiproxy.spaces import Architecture

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class WeakNasConfig(RoundConfig):
    """As published but for width and training, for which see `WeakNas`.

    Attributes:
        layers: Hidden layers of the perceptron.
        width: ``h`` units of each.
        training: Training of the perceptron.
        top: Predicted best, from which a round draws its queries uniformly.
        candidates: Random architectures that are ranked, where the space is too large to be ranked as a whole.
    """

    layers: int = 4
    width: int = 200
    # Up to 200 trials are one batch, so that an epoch is one iteration of the release.
    training: Training = field(default_factory=lambda: Training(epochs=200, batch=200, learning_rate=1e-3))
    top: int = 100
    candidates: int = 10_000


@final
class WeakNas(RoundSearch[WeakNasConfig]):
    """An `Algorithm`: weak predictors, refitted as the search narrows down, each good enough to say where to look next.

    Published: a perceptron on the one-hot decisions ranks the whole space, and the round's queries are drawn uniformly
    from the best 100 of its ranking. Rounds of 10 and the number of layers are those of the authors' release, and so are 10
    random trials first; on NAS-Bench-101 the release spends 100.

    Differences, for the equal terms of a comparison: see `RoundSearch` and `scalarized_utilities`; targets are
    standardized. The release has 1000 units per layer, 100 iterations and a constant rate; 200 units and 200 iterations with
    a falling rate find what they do, in a tenth of the time (docs/decisions/baselines.md).
    """

    settings = WeakNasConfig

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        # The whole space where it is small, as in the paper.
        candidates = pool(self._space, self._config.candidates, seen=history.seen, rng=rng)
        leaders = best_first(candidates, self._fit(history, torch_stream(rng)))[: self._config.top]
        # A weak predictor tells a good region, not the best of it: so queries are drawn uniformly from its leaders.
        return [leaders[i] for i in rng.permutation(len(leaders))]

    def _fit(self, history: History, generator: torch.Generator) -> Callable[[Sequence[Architecture]], Array]:
        """Return a function from ``b`` architectures to predicted utilities ``(b,)``."""
        config = self._config
        # Decisions and no graph, as published.
        inputs = self._space.one_hot(history.architectures).flatten(1)
        targets = torch.from_numpy(standardized(history.utilities)).float()
        network = Perceptron([inputs.shape[1], *[config.width] * config.layers, 1], generator=generator)

        def loss(rows: Tensor) -> Tensor:
            return (network(inputs[rows])[0, :, 0] - targets[rows]).square().mean()

        train(network, loss, len(inputs), training=config.training, generator=generator)

        def predict(architectures: Sequence[Architecture]) -> Array:
            with torch.no_grad():
                predicted: Tensor = network(self._space.one_hot(architectures).flatten(1))[0, :, 0]
            return predicted.double().numpy()

        return predict
