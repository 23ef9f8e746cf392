"""Trainings on real clusters on this machine: nodes that are lost, trainings that crash and hang, and what they leave behind."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from types import SimpleNamespace

import cloudpickle
import psutil
import pytest

from optiproxy.errors import UsageError
from optiproxy.searching.search import search
from optiproxy.testing import ExecutorConformance

pytestmark = [
    pytest.mark.slow,
    # Ray leaves its log files open.
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <_io:pytest.PytestUnraisableExceptionWarning"),
]
cloudpickle.register_pickle_by_value(sys.modules[__name__])

CRASHES, HANGS = 1, 2


@pytest.fixture(scope="module")
def ray_cluster():
    """Two nodes of two slots and two GPUs each, which there need not be: the head, and one that may be lost.

    All of it is on loopback alone, and starts on busy cores, too: Ray gives a node 15 s to find out on which ports its agents listen
    (ray-project/ray#65983), unless these are given.
    """
    if find_spec("ray") is None:
        pytest.skip("needs the extra ray")
    with ExitStack() as stack:
        # Ray replaces it, and leaves it so.
        stack.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in {
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # an address on loopback stays one
            "RAY_AUTH_MODE": "disabled",  # else a secret is written into the home folder
            "RAY_TMPDIR": stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)),
            "RAY_gcs_server_port_wait_time_s": "120",
            "RAY_gcs_server_request_timeout_seconds": "120",
            "RAY_raylet_start_wait_time_s": "120",
            "RAY_agent_register_timeout_ms": "120000",
            "RAY_worker_niceness": "0",  # else tasks wait behind whatever else runs here
            # Processes start when there is work for them.
            "RAY_enable_worker_prestart": "0",
            "RAY_prestart_worker_first_driver": "0",
        }.items():
            environment.setenv(name, value)
        environment.delenv("RAY_ADDRESS", raising=False)
        from ray._private import services  # not before: Ray reads some of these when it is imported
        from ray.cluster_utils import Cluster

        start = services.start_ray_process
        (nowhere,) = _free_ports(1)

        def told(command, kind, *rest, **more):
            # It passes on all of these ports but one.
            return start(
                [*command, f"--dashboard_agent_listen_port={nowhere}"] if kind == "raylet" else command,
                kind,
                *rest,
                **more,
            )

        environment.setattr(services, "start_ray_process", told)

        def settings(**more):
            agents = ("metrics_agent", "metrics_export", "dashboard_agent_listen", "runtime_env_agent")
            ports = {f"{name}_port": port for name, port in zip(agents, _free_ports(4), strict=True)}
            there = {"num_cpus": 2, "num_gpus": 2, "resources": {"slot": 2}, "object_store_memory": 100 * 2**20}
            return {"node_ip_address": "127.0.0.1", **there, **ports, **more}

        (client,) = _free_ports(1)
        head = settings(include_dashboard=False, ray_client_server_port=client)
        cluster = Cluster(initialize_head=True, head_node_args=head)
        stack.callback(cluster.shutdown)
        other = cluster.add_node(**settings())
        yield SimpleNamespace(
            address=cluster.address,
            client=f"ray://127.0.0.1:{client}",
            other=str(other.all_processes["raylet"][0].process.pid),
            lose=lambda: cluster.remove_node(other, allow_graceful=False),
        )
    gc.collect()  # of what Ray has left open it warns here, and not in the tests of others


def _free_ports(count):
    """Below those that the system gives out, so that nothing takes one before Ray does."""
    with ExitStack() as stack:
        free = []
        while len(free) < count:
            one = stack.enter_context(socket.socket())
            with suppress(OSError):
                one.bind(("127.0.0.1", random.randrange(10_000, 32_000)))
                free.append(one.getsockname()[1])
        return free


@pytest.fixture
def dask_cluster():
    """A scheduler and two workers of two threads each, all in processes of their own."""
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        yield cluster


def _train(choices: dict[str, int]) -> dict[str, float]:
    started = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    print("training", choices["a"])  # noqa: T201 - its output is kept
    if choices["a"] == CRASHES:
        os._exit(3)
    time.sleep(1000 if choices["a"] == HANGS else 0.5)
    return {"accuracy": float(choices["a"]), "pid": os.getpid(), "parent": os.getppid(), "started": started.pid}


def _check(result, timeout: str) -> None:
    """All architectures were trained, each in a process below one of the cluster, and nothing of that is left."""
    by_choice = {result.space.values(record.architecture)["a"]: record for record in result.records}
    assert len(by_choice) == len(result.records) == 8
    reasons = {choice: record.reason for choice, record in by_choice.items() if record.reason}
    assert reasons == {
        CRASHES: "The worker process ended with code 3.",
        HANGS: f"Stopped at the timeout of {timeout} s.",
    }
    good = [record for record in result.records if not record.reason]
    assert all(record.output == f"training {int(record.metrics['accuracy'])}\n" for record in good)
    _await_ended({int(record.metrics[name]) for record in good for name in ("pid", "started")})


def _await_ended(pids):
    deadline = time.monotonic() + 20
    while (left := list(filter(_alive, pids))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _search(executor, train=_train, **settings):
    return search(
        {"a": [*range(8)]},
        train,
        budget=8,
        algorithm="random",
        workers=4,
        timeout=10,
        max_failures=None,
        verbose=False,
        executor=executor,
        **settings,
    )


def test_dask_runs_trainings_again_when_a_worker_is_lost(dask_cluster):
    def lose(running, record):
        if len(running.records) == 1 and not record.reason:
            psutil.Process(int(record.metrics["parent"])).kill()

    result = _search(dask_cluster.scheduler_address, callbacks=lose)
    _check(result, timeout="10")
    assert len({record.metrics["parent"] for record in result.records if not record.reason}) > 1


def test_ray_runs_trainings_again_when_a_node_is_lost(ray_cluster, tmp_path):
    from optiproxy import RayExecutor

    started, other = tmp_path / "started", ray_cluster.other
    started.touch()

    def train(choices):
        # This process is one below a worker of the node.
        node = str(psutil.Process(os.getppid()).ppid())
        with started.open("a") as lines:
            lines.write(f"{node} {choices['a']}\n")
        if node == other:
            time.sleep(1000)  # what runs there is not done before the node is lost
        return _train(choices)

    def lose():
        while f"{other} " not in started.read_text():
            time.sleep(0.05)
        ray_cluster.lose()

    threading.Thread(target=lose, daemon=True).start()
    with RayExecutor(ray_cluster.address, resources={"slot": 1}) as executor:
        result = _search(executor, train=train)
    _check(result, timeout="10")
    lost, kept = (
        {line.split()[1] for line in started.read_text().splitlines() if (other == line.split()[0]) is there}
        for there in (True, False)
    )
    assert lost
    assert kept == {str(choice) for choice in range(8)}


class TestRay(ExecutorConformance):
    @pytest.fixture
    def executor(self, ray_cluster):
        from optiproxy import RayExecutor

        with RayExecutor(ray_cluster.address) as executor:
            yield executor


SCRIPT = """
import os, subprocess, sys, time
import optiproxy

PIDS = os.path.abspath(sys.argv[1]) if sys.argv[1:] else ""

def train(choices, trial):
    if PIDS:  # it hangs, and so does what it starts
        started = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        with open(PIDS, "a") as pids:
            pids.write(f"{os.getpid()} {started.pid}\\n")
        time.sleep(1000)
    print("on", choices["a"])
    return {"accuracy": float(choices["a"])}

if __name__ == "__main__":
    found = optiproxy.search({"a": [*range(4)]}, train, budget=4, algorithm="random", workers=2, executor=EXECUTOR)
    print(sorted((record.metrics["accuracy"], record.output) for record in found.records))
"""


def _run(*command, cwd, **environment):
    started = subprocess.Popen(
        [sys.executable, *command],
        cwd=cwd,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err = started.communicate(timeout=300)
    assert started.returncode == 0, err
    return out


def test_a_script_searches_on_ray_through_a_client(ray_cluster, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT.replace("EXECUTOR", repr(ray_cluster.client)))
    out = _run("script.py", cwd=tmp_path)
    assert out.splitlines()[-1] == str([(float(choice), f"on {choice}\n") for choice in range(4)])


def test_the_command_line_searches_on_the_ray_of_the_environment(ray_cluster, tmp_path):
    (tmp_path / "mine.py").write_text(
        "SPACE = {'a': [0, 1, 2, 3]}\n\ndef train(choices):\n    return {'accuracy': float(choices['a'])}\n"
    )
    command = (
        "search mine:SPACE --evaluate mine:train --algorithm random --budget 4 --workers 2 --executor ray --out found"
    )
    _run("-m", "optiproxy", *command.split(), cwd=tmp_path, RAY_ADDRESS=ray_cluster.address)
    trials = json.loads((tmp_path / "found" / "result.json").read_text())["trials"]
    assert sorted(trial["metrics"]["accuracy"] for trial in trials) == [0.0, 1.0, 2.0, 3.0]


def test_nothing_outlives_a_search_on_ray_that_is_killed(ray_cluster, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT.replace("EXECUTOR", "'ray'"))
    (tmp_path / "pids").touch()
    environment = os.environ | {"RAY_ADDRESS": ray_cluster.address}
    running = subprocess.Popen([sys.executable, "script.py", "pids"], cwd=tmp_path, env=environment)
    try:
        while len(lines := (tmp_path / "pids").read_text().splitlines()) < 2:
            assert running.poll() is None
            time.sleep(0.05)
    finally:
        running.kill()
        running.wait()
    _await_ended({int(pid) for line in lines for pid in line.split()})


def test_trainings_on_ray_see_the_gpus_that_they_are_given(ray_cluster):
    from optiproxy import RayExecutor

    def train(choices):
        return {"accuracy": 1.0, "visible": int(os.environ["CUDA_VISIBLE_DEVICES"])}

    with RayExecutor(ray_cluster.address, num_gpus=1) as executor:
        result = search({"a": [0, 1]}, train, budget=2, workers=2, verbose=False, executor=executor)
    assert {record.metrics["visible"] for record in result.records} <= {0.0, 1.0}


def test_an_open_connection_to_ray_is_used_and_stays_open(ray_cluster):
    import ray

    from optiproxy import RayExecutor

    ray.init(ray_cluster.address, log_to_driver=False)
    try:
        with pytest.raises(UsageError, match="connected to Ray already"):
            RayExecutor(ray_cluster.client)
        with pytest.warns(UserWarning, match=r"No node of the Ray cluster has CPU: 1, slot: 99; trainings wait"):
            RayExecutor(resources={"slot": 99}).shutdown()
        result = search({"a": [0, 1]}, lambda choices: 1.0, budget=2, workers=2, verbose=False, executor="ray")
        assert [record.reason for record in result.records] == ["", ""]
        assert ray.is_initialized()
    finally:
        ray.shutdown()


@pytest.mark.parametrize("name", ["ray://127.0.0.1:1", "ray"])
def test_a_ray_that_does_not_answer_is_named(name, ray_cluster, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(
        UsageError, match=r"Cannot connect to Ray at '(ray://)?127\.0\.0\.1:1' \(ConnectionRefusedError"
    ):
        _search(name)


@pytest.mark.parametrize("name", ["dask://127.0.0.1:1", "tcp://127.0.0.1:1"])
def test_a_cluster_that_does_not_answer_is_named(name):
    pytest.importorskip("distributed", reason="needs the extra dask")
    from dask import config

    with (
        config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(UsageError, match=r"Cannot connect to a Dask scheduler at 'tcp://127\.0\.0\.1:1'"),
    ):
        _search(name)


@pytest.mark.parametrize(("name", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_a_package_that_is_missing_is_named(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"need the extra: pip install 'optiproxy\[{name}\]'"):
        _search(name)
