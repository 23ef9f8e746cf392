"""Evaluations as tasks of Ray."""

from __future__ import annotations

import os
import re
import socket
import sys
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, ParamSpec, TypeVar, final

from optiproxy.errors import UsageError
from optiproxy.execution.clusters import Cluster, hand_on
from optiproxy.task.values import one_line

P = ParamSpec("P")
T = TypeVar("T")

_LONGEST = 60.0
"""Seconds that the nodes may take to answer: each starts a process for that."""


@final
class RayExecutor(Cluster):
    """Runs evaluations as tasks of a Ray cluster, each in a process of its own on some node: ``search(executor=RayExecutor())``.

    Ray starts a task where its resources are free, gives it its GPUs, and runs it again elsewhere where its node is lost: three
    times, or as often as ``max_retries`` says.

    Args:
        address: ``"ray://HOST:PORT"`` of Ray's client server, or anything else that `ray.init` takes. None means the connection that
            this process has; else the cluster that ``RAY_ADDRESS`` names, the one that runs on this machine, or a new one here.
        options: Of each task, as `ray.remote` takes them: ``num_cpus`` (1 if left out), ``num_gpus=1``, ``resources={"slot": 1}``,
            ``max_retries``, ``runtime_env``.

    Raises:
        UsageError: If Ray is not installed, there is no cluster at the address, or an address is given although this process is
            connected already.
    """

    def __init__(self, address: str | None = None, **options: Any) -> None:  # noqa: ANN401 - those of Ray
        try:
            import ray
        except ImportError as error:
            raise UsageError("Trainings on Ray need the extra: pip install 'optiproxy[ray]'.") from error
        self._ray: Any = ray
        self._connected_here = not ray.is_initialized()
        if self._connected_here:
            self._connect(address)
        elif address is not None:
            raise UsageError(
                f"Expected no address, because this process is connected to Ray already, got {address!r}. Leave it out "
                "(executor='ray') to use that connection, or call ray.shutdown() before."
            )
        # Given to `ray.remote`, not to `.options`: so it starts a process for each task that has GPUs, and none keeps another's.
        self._task = self._ray.remote(**{"num_cpus": 1, **options})(_call)
        self._warn_where_nothing_fits({"num_cpus": 1, **options})
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        task = self._task.remote(fn, args, kwargs)
        future: Future[T] = Future()
        future.add_done_callback(lambda done: self._ray.cancel(task) if done.cancelled() else None)
        task.future().add_done_callback(partial(hand_on, future))
        return future

    def everywhere(self, fn: Callable[[str], None], argument: str, /) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as OnNode

        task = self._ray.remote(num_cpus=0, max_retries=0)(_call)
        asked = [
            task.options(scheduling_strategy=OnNode(node["NodeID"], soft=False)).remote(fn, (argument,), {})
            for node in self._nodes()
        ]
        # A node that is lost meanwhile answers by an error, and has nothing left to do.
        _, silent = self._ray.wait(asked, num_returns=len(asked), timeout=_LONGEST)
        if silent:
            raise TimeoutError(f"{len(silent)} of {len(asked)} have not answered within {_LONGEST:g} s")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the interface
        """Take no further calls, and disconnect where the connection was opened here."""
        self._closed = True
        if self._connected_here:
            self._ray.shutdown()

    def _connect(self, address: str | None) -> None:
        where = address or os.environ.get("RAY_ADDRESS") or "this machine"
        try:
            # Ray itself asks for ten minutes whether somebody is there.
            if told := re.fullmatch(r"(?:ray://)?\[?([^/]+?)\]?:(\d+)", where):
                socket.create_connection((told[1], int(told[2])), timeout=_LONGEST).close()
            # A dashboard of its own, and the output of all trainings, are nothing that a search has asked for.
            self._ray.init(address, include_dashboard=False, log_to_driver=False, logging_level="WARNING")
        except Exception as error:  # Ray raises many, among them Exception itself
            self._ray.shutdown()
            raise UsageError(
                f"Cannot connect to Ray at {where!r} ({one_line(error)}). Start it with `ray start --head`; ray://HOST:PORT is "
                "the port of its client server, 10001 if nothing else was said."
            ) from error

    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in self._ray.nodes() if node["Alive"]]

    def _warn_where_nothing_fits(self, options: Mapping[str, Any]) -> None:
        asked = {"CPU": options["num_cpus"], "GPU": options.get("num_gpus"), **(options.get("resources") or {})}
        wanted = {name: amount for name, amount in asked.items() if amount}
        if not any(
            all(node["Resources"].get(name, 0) >= amount for name, amount in wanted.items()) for node in self._nodes()
        ):
            told = ", ".join(f"{name}: {amount:g}" for name, amount in wanted.items())
            warnings.warn(f"No node of the Ray cluster has {told}; trainings wait until one joins.", stacklevel=3)


def _call(fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    # That of Ray's own program: a worker process that is started from here would import it for nothing.
    sys.modules["__main__"].__dict__.pop("__file__", None)
    return fn(*args, **kwargs)
