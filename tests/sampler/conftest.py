"""What all tests of the samplers share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import optuna
import pytest

from optiproxy.baselines import RandomSearch
from optiproxy.optimizer.optiproxy import OptiProxy
from optiproxy.sampler import AlgorithmSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optiproxy.spaces import Space


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(level)


@pytest.fixture(params=["random", "optiproxy"])
def sampler(request, light_parts) -> Callable[[Space | None], AlgorithmSampler]:
    """Makes a sampler of any algorithm; with random search a promise is not kept by luck of the proxy."""
    factory = RandomSearch if request.param == "random" else partial(OptiProxy, **light_parts)
    return lambda space=None: AlgorithmSampler(factory, space, seed=0)


@pytest.fixture
def different() -> Callable[[optuna.Study], int]:
    """Counts the different sets of parameters of a study."""
    return lambda study: len({tuple(sorted(trial.params.items())) for trial in study.trials})
