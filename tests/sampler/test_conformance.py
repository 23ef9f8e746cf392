"""Optuna's own suites for samplers, of which nothing is left out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)

from optiproxy.baselines import RandomSearch
from optiproxy.optimizer.optiproxy import OptiProxy
from optiproxy.sampler import AlgorithmSampler, OptiProxySampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from optuna.samplers import BaseSampler


class _Conformance(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    """Optuna's suites. `SingleOnlySamplerTestCase` does not apply: several objectives are served."""


@pytest.mark.filterwarnings("ignore:Every architecture of the space 'inferred' is known")  # they try spaces of three
class TestRandomConforms(_Conformance):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: AlgorithmSampler(RandomSearch, seed=0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Every architecture of the space 'inferred' is known")
class TestOptiProxyConforms(_Conformance):
    @pytest.fixture
    def sampler(self, light_parts) -> Callable[[], BaseSampler]:
        return lambda: OptiProxySampler(seed=0, algorithm=partial(OptiProxy, **light_parts))


def test_the_suites_run_unabridged():
    """No exception is made from Optuna's suites, so none can hide here."""
    for case in (TestRandomConforms, TestOptiProxyConforms):
        assert not [name for name in vars(case) if name.startswith("test_")]
