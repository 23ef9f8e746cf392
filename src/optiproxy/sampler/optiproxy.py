"""OptiProxy as an Optuna sampler."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, final

from optuna.samplers import BaseSampler

from optiproxy.errors import UsageError
from optiproxy.sampler.algorithm import AlgorithmSampler

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from optiproxy.metrics import Goal
    from optiproxy.optimizer import Algorithm, AlgorithmFactory
    from optiproxy.optimizer.core import OptiProxyConfig
    from optiproxy.spaces import Space


@final
class OptiProxySampler(BaseSampler):
    """Samples parameters by gradient ascent on a learned proxy (arXiv 2509.05656).

    Works for single- and multi-objective studies, with constraints (`Trial.set_constraint`), with ``n_jobs``, and with
    several processes on one storage, all without evaluating an architecture twice. See `AlgorithmSampler`.

    Example::

        study = optuna.create_study(direction="maximize", sampler=OptiProxySampler(seed=0))
        study.optimize(objective, n_trials=40)

    Args:
        space: Where to search. If None, it is inferred from the parameters that the objective suggests, and from which of
            them each trial has.
        seed: The same seed and trials give the same proposals. If None, another one each time.
        algorithm: Builds another variant of the method, or any other `Algorithm`: ``partial(OptiProxy, ascent=Ascent(steps=30))``.
        config: Deprecated and gone in the next version; ``algorithm`` says the same and more.

    Raises:
        UsageError: If both an algorithm and a config are given.
    """

    def __init__(
        self,
        space: Space | None = None,
        *,
        seed: int | None = None,
        algorithm: AlgorithmFactory | None = None,
        config: OptiProxyConfig | None = None,
    ) -> None:
        if config is not None:
            algorithm = _configured(config, algorithm)
        self._sampler = AlgorithmSampler(algorithm or _optiproxy, space, seed=seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:  # noqa: ANN401 - Optuna's signature
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)


def _configured(config: OptiProxyConfig, algorithm: AlgorithmFactory | None) -> AlgorithmFactory:
    """What ``config`` of the version before means today."""
    from optiproxy.optimizer.optiproxy import OptiProxy

    if algorithm is not None:
        raise UsageError("Expected an algorithm or a config, got both. The algorithm alone says what is searched by.")
    # Of the caller of the sampler's constructor.
    warnings.warn(
        "OptiProxySampler(config=...) is deprecated: pass algorithm=partial(OptiProxy, ...) with the parts themselves.",
        DeprecationWarning,
        stacklevel=3,
    )
    return partial(OptiProxy, **config.parts())


def _optiproxy(space: Space, goal: Goal, *, seed: int) -> Algorithm:
    from optiproxy.optimizer.optiproxy import OptiProxy  # torch loads here, not before

    return OptiProxy(space, goal, seed=seed)
