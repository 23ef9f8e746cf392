"""Each worker process sees its own device alone; no test needs one, because the environment says what would be seen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter

import cloudpickle
import pytest
import torch

from optiproxy.errors import UsageError
from optiproxy.execution.devices import device_names, visible_to
from optiproxy.execution.executors import ProcessExecutor
from optiproxy.searching.search import search

# Else each worker would import what the tests import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

CHOICES = {"width": [1, 2, 3], "depth": [1, 2, 3]}


@pytest.fixture(autouse=True)
def _everything_is_visible(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_count_is_so_many_devices():
    assert device_names(3) == ("cuda:0", "cuda:1", "cuda:2")
    assert device_names(["cuda:1", "cpu", "cuda:1"]) == ("cuda:1", "cpu", "cuda:1")


@pytest.mark.parametrize("given", [0, -1, [], "cuda:0", True])
def test_without_a_list_of_devices_there_is_none(given):
    with pytest.raises(UsageError, match=r"Expected devices like \['cuda:0', 'cuda:1'\], or how many, got"):
        device_names(given)


@pytest.mark.parametrize("name", ["cuda", "gpu:1", "cuda:-1", "cuda:1 ", 3, None])
def test_a_name_that_is_none_is_refused_at_once(name):
    with pytest.raises(UsageError, match="Expected a device like 'cuda:0' or 'cpu' for a worker, got"):
        search(CHOICES, lambda _: 1.0, budget=2, devices=[name])


def test_numbers_count_within_what_a_scheduler_has_selected(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, GPU-8932f937")
    assert visible_to("cuda:1")["CUDA_VISIBLE_DEVICES"] == "GPU-8932f937"
    with pytest.raises(UsageError, match="Expected one of the 2 devices of CUDA_VISIBLE_DEVICES=4, GPU-8932f937, got"):
        visible_to("cuda:2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UsageError, match="one of the 0 devices"):
        visible_to("cuda:0")


def _seen(seconds: float) -> tuple[str | None, int]:
    import time

    time.sleep(seconds)
    return os.environ.get("CUDA_VISIBLE_DEVICES"), os.getpid()


@pytest.mark.slow
def test_workers_have_devices_of_their_own_and_so_has_one_that_replaces_another():
    before = dict(os.environ)
    with ProcessExecutor(2, devices=("cuda:0", "cuda:3"), timeout=60) as executor:
        first = [executor.submit(_seen, 0.2) for _ in range(6)]
        found = {future.result(60) for future in first}
        assert {device for device, _ in found} == {"0", "3"}
        assert len(found) == 2
        dead = [executor.submit(lambda: os.kill(os.getpid(), signal.SIGKILL)) for _ in range(2)]
        assert all(future.exception(60) for future in dead)
        again = {future.result(60) for future in [executor.submit(_seen, 0.2) for _ in range(6)]}
    assert {device for device, _ in again} == {"0", "3"}
    assert not {pid for _, pid in found} & {pid for _, pid in again}
    # What the workers were given is theirs alone.
    assert dict(os.environ) == before


@pytest.mark.slow
def test_more_workers_than_devices_share_them_evenly():
    with ProcessExecutor(3, devices=("cuda:0", "cpu")) as executor:
        found = {future.result(60) for future in [executor.submit(_seen, 1.0) for _ in range(6)]}
    assert Counter(device for device, _ in found) == {"0": 2, "": 1}


@pytest.mark.slow
def test_without_devices_a_worker_sees_what_its_parent_sees(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    with ProcessExecutor(1) as executor:
        assert executor.submit(_seen, 0).result(60)[0] == "5"


SCRIPT = """
import os
import optiproxy

AT_IMPORT = os.environ.get("CUDA_VISIBLE_DEVICES")  # what a script sees that asks whether CUDA is available

def train(choices, trial):
    import sys

    at_import = sys.modules["__mp_main__"].AT_IMPORT  # the script, as the worker has imported it
    assert at_import == os.environ["CUDA_VISIBLE_DEVICES"], at_import
    assert trial.device == "cuda:0"
    return {"accuracy": choices["width"], "seen": int(at_import)}

if __name__ == "__main__":
    result = optiproxy.search({"width": [1, 2, 3], "depth": [1, 2]}, train, budget=6, algorithm="random", devices=2)
    print(*(record.reason or int(record.metrics["seen"]) for record in result.records))
"""


@pytest.mark.slow
def test_a_search_gives_each_worker_its_device_before_the_script_is_imported(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=120)
    assert set(done.stdout.split()) == {"0", "1"}


def test_without_a_device_of_its_own_a_training_is_told_of_what_is_there():
    seen = []
    search(CHOICES, lambda choices, trial: seen.append(trial.device) or 1.0, budget=1, algorithm="random")
    assert seen == ["cuda:0" if torch.cuda.is_available() else "cpu"]


@pytest.mark.slow
def test_devices_are_for_trainings_in_the_built_in_workers():
    from concurrent.futures import ThreadPoolExecutor

    from optiproxy.registry import task

    with ThreadPoolExecutor(1) as executor, pytest.raises(UsageError, match="built-in worker processes only"):
        search(CHOICES, lambda _: 1.0, budget=2, devices=1, executor=executor)
    with pytest.raises(UsageError, match="'digits-table' trains nothing, so leave the devices out"):
        search(task("digits-table"), budget=2, devices=1)
