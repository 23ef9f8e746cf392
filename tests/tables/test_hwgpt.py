"""HW-GPT-Bench: predictions against those of the published networks, absent layers, limits."""

from __future__ import annotations

import numpy as np
import pytest

from optiproxy import registry
from optiproxy.errors import DataError, UsageError
from optiproxy.metrics import Limit
from optiproxy.tables.hwgpt import DATA, hwgpt_task
from optiproxy.testing import TaskConformance


@pytest.fixture(scope="module", autouse=True)
def _environment(raw_folder):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPTIPROXY_DATA", str(raw_folder.parent))
        yield


@pytest.fixture(scope="module", params=["s", "m", "l"])
def family(request):
    return request.param


@pytest.fixture(scope="module")
def task(family):
    return registry.task(f"hwgpt-{family}")


@pytest.mark.slow
class TestConformance(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls):
        return registry.task("hwgpt-s-60m")


def test_predictions_are_those_of_the_published_networks(family, task, data_folder):
    """The reference has width and layers, all ratios, all numbers of heads, and whether there is no bias."""
    with np.load(data_folder / "hwgpt.npz") as file:
        reference = {key.partition("/")[2]: file[key] for key in file if key.startswith(f"ref_{family}/")}
    rows = reference["arch"].astype(int)
    assert len(rows) == 400
    layers = (rows.shape[1] - 3) // 2
    architectures = [
        (row[0], row[1], row[-1], *(row[2 + part * layers + i] for i in range(layers) for part in (0, 1)))
        for row in rows.tolist()
    ]
    found = task.evaluate_all(architectures)
    np.testing.assert_allclose(found["perplexity"], reference["perplexity_raw"], rtol=1e-6)
    np.testing.assert_allclose(found["params"], 1e6 * reference["params_raw"], rtol=1e-6)
    np.testing.assert_allclose(found["memory_mb"], reference["bfloat16_memory_raw"], rtol=1e-6)
    for architecture, perplexity in zip(architectures[:20], reference["perplexity_raw"], strict=False):
        assert task.evaluate(architecture)["perplexity"] == pytest.approx(perplexity, rel=1e-6)


def test_one_network_has_one_value(task):
    architectures = task.space.sample(np.random.default_rng(0), 50)
    forms = [task.space.canonical(architecture) for architecture in architectures]
    assert sum(a != b for a, b in zip(architectures, forms, strict=True)) > 20
    for name, values in task.evaluate_all(architectures).items():
        np.testing.assert_array_equal(values, task.evaluate_all(forms)[name])


def test_a_limit_is_kept_by_about_half_and_is_free(family, task):
    (entry,) = (e for e in registry.tasks() if e.name.startswith(f"hwgpt-{family}-"))
    limited = registry.task(entry.name)
    assert limited.goal.limits == (Limit.parse(entry.arguments["limit"]),)
    architectures = task.space.sample(np.random.default_rng(1), 500)
    share = np.mean([limited.goal.limits[0].violation(limited.free_metrics(a)) <= 0 for a in architectures])
    assert 0.4 < share < 0.7
    assert {metric.name for metric in limited.metrics if metric.free} == {"params", "memory_mb"}
    assert task.goal.limits == ()
    assert limited.queried == ()


def test_what_is_no_family_or_limit_is_refused():
    with pytest.raises(UsageError, match="Unknown family of HW-GPT-Bench 'xl'"):
        hwgpt_task("mine", "xl")
    with pytest.raises(UsageError, match="Unknown metric 'flops'"):
        hwgpt_task("mine", "s", "flops<=7")


@pytest.mark.parametrize("architecture", [(), (3, *(0,) * 26), (0, 0, 2, *(0,) * 24), (*(0,) * 26, -1)])
def test_architectures_outside_the_space_are_refused(architecture):
    with pytest.raises(UsageError, match="Expected 27 positions, one in the choices of each decision of gpt-s; got"):
        hwgpt_task("mine", "s").evaluate(architecture)


def test_there_is_one_fidelity():
    with pytest.raises(UsageError, match="one fidelity only"):
        hwgpt_task("mine", "s").evaluate((0,) * 27, fidelity=1)


def test_without_the_file_the_message_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"optiproxy data fetch {DATA}"):
        registry.task("hwgpt-s")
