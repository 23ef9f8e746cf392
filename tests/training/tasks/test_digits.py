from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch

from optiproxy.errors import DataError, UsageError
from optiproxy.spaces.published.nasbench201 import OPERATIONS
from optiproxy.training.tasks import digits
from optiproxy.training.tasks.digits import DigitsTask

CONV3, SKIP, NONE = OPERATIONS.index("nor_conv_3x3"), OPERATIONS.index("skip_connect"), 0
ONE_CONVOLUTION = (NONE, NONE, NONE, CONV3, NONE, NONE)
SAME_BY_SKIPS = (SKIP, NONE, NONE, NONE, CONV3, NONE)
NOTHING = (NONE,) * 6
CHEAPEST = DigitsTask.fidelities[0]


@pytest.fixture(scope="module")
def task() -> DigitsTask:
    return DigitsTask()


def test_the_three_parts_share_no_image_and_are_stratified():
    data = digits.load()
    parts = (data.train, data.validation, data.test)
    assert [len(part.labels) for part in parts] == [digits.TRAIN, digits.VALIDATION, 749]
    # No two of scikit-learn's digits are equal, so that pixels tell images apart.
    assert len(torch.cat([part.images for part in parts]).flatten(1).unique(dim=0)) == 1797
    for part in parts:
        counts = torch.bincount(part.labels) / len(part.labels)
        assert counts.sub(0.1).abs().max() < 0.01
        assert part.images.shape[1:] == (1, 8, 8)
        assert (part.images.min(), part.images.max()) == (0, 1)


def test_other_images_than_the_promised_are_refused(monkeypatch):
    monkeypatch.setattr(digits, "DIGEST", "sha256:" + "0" * 64)
    with pytest.raises(DataError, match="sha256:000"):
        digits.load.__wrapped__()


def test_a_cell_that_passes_nothing_on_trains_to_chance(task):
    metrics = task.evaluate(NOTHING, fidelity=CHEAPEST)
    assert 5 < metrics["val_accuracy"] < 15


@pytest.mark.slow
def test_a_cell_that_sees_patterns_beats_one_that_does_not(task):
    seeing = task.evaluate((CONV3, SKIP, CONV3, SKIP, SKIP, CONV3), fidelity=DigitsTask.fidelities[1])
    assert seeing["val_accuracy"] > 50
    assert seeing["test_accuracy"] > 50


def test_isomorphic_cells_are_one_network(task):
    one, other = (task.evaluate(a, fidelity=CHEAPEST, seed=3) for a in (ONE_CONVOLUTION, SAME_BY_SKIPS))
    assert {**one, "training_seconds": 0} == {**other, "training_seconds": 0}


def test_another_seed_is_another_training(task):
    weights = [task.train(ONE_CONVOLUTION, epochs=CHEAPEST, seed=s).network.state_dict() for s in (0, 1)]
    assert not torch.equal(weights[0]["head.weight"], weights[1]["head.weight"])


def test_training_leaves_the_callers_random_stream_alone(task):
    before = torch.get_rng_state()
    task.evaluate(ONE_CONVOLUTION, fidelity=CHEAPEST)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_another_process_trains_the_same_network(task):
    here = task.evaluate(ONE_CONVOLUTION, seed=5, fidelity=CHEAPEST)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = pool.submit(task.evaluate, ONE_CONVOLUTION, seed=5, fidelity=CHEAPEST).result()
    # Latency too: it was measured here and has traveled with the task.
    assert {**there, "training_seconds": 0} == {**here, "training_seconds": 0}


def test_fidelity_is_the_number_of_epochs_and_the_full_one_is_meant_by_default():
    class Brief(DigitsTask):
        fidelities = (1, 2)

    task = Brief()
    full, default, less = (task.train(ONE_CONVOLUTION, epochs=epochs).network.state_dict() for epochs in (2, None, 1))
    assert torch.equal(full["head.weight"], default["head.weight"])
    assert not torch.equal(full["head.weight"], less["head.weight"])
    steps = [int(weights["features.1.num_batches_tracked"]) for weights in (full, less)]
    assert steps[0] == 2 * steps[1]


@pytest.mark.parametrize("fidelity", [0, -1, CHEAPEST + 1])
def test_a_fidelity_that_is_not_offered_is_refused(task, fidelity):
    with pytest.raises(UsageError, match=rf"{CHEAPEST}, .*got {fidelity}"):
        task.evaluate(ONE_CONVOLUTION, fidelity=fidelity)


def test_pickling_keeps_what_was_measured(task):
    measured = task.free_metrics(ONE_CONVOLUTION)
    assert pickle.loads(pickle.dumps(task)).free_metrics(SAME_BY_SKIPS) == measured


def test_a_caller_cannot_change_what_was_measured(task):
    task.free_metrics(ONE_CONVOLUTION)["params"] = -1.0
    assert task.free_metrics(ONE_CONVOLUTION)["params"] > 0


@pytest.mark.slow
def test_free_metrics_exist_for_any_cell_and_order_as_the_operations_do(task):
    for architecture in task.space.sample(np.random.default_rng(0), 8):
        free = task.free_metrics(architecture)
        assert all(np.isfinite(value) and value > 0 for value in free.values())
        more = task.free_metrics(tuple(CONV3 if operation != NONE else NONE for operation in architecture))
        assert more["params"] >= free["params"]
