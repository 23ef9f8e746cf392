"""What all tests of the samplers share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import optuna
import pytest

from optiproxy.baselines import RandomSearch
from optiproxy.optimizer.optiproxy import OptiProxy
from optiproxy.sampler import AlgorithmSampler, Parameters
from optiproxy.spaces import FlatSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optiproxy.spaces import Architecture, Space


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
def flat() -> FlatSpace:
    return FlatSpace({"kernel": [3, 5, 7], "pool": ["max", "avg"], "skip": [True, False]})


@pytest.fixture
def score() -> Callable[[dict[str, object]], float]:
    """Longer words are better, and so are larger kernels."""
    return lambda values: sum(len(str(value)) for value in values.values()) + values.get("kernel", 0)


@pytest.fixture
def scored(score) -> Callable[[Space], Callable[[optuna.Trial], float]]:
    """Makes the objective that suggests all decisions of a space."""
    return lambda space: (
        lambda trial: score({d.name: trial.suggest_categorical(d.name, d.choices) for d in space.decisions})
    )


@pytest.fixture
def asked() -> Callable[[optuna.Study, Space], list[Architecture]]:
    """Canonical architectures of the trials of a study."""
    return lambda study, space: [space.canonical(Parameters(space).decode(trial.params)) for trial in study.trials]


@pytest.fixture
def different() -> Callable[[optuna.Study], int]:
    """Counts the different sets of parameters of a study."""
    return lambda study: len({tuple(sorted(trial.params.items())) for trial in study.trials})
