"""Evaluations as tasks of Dask."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, final

from optiproxy.errors import UsageError
from optiproxy.execution.clusters import Cluster

if TYPE_CHECKING:
    from distributed import Client

P = ParamSpec("P")
T = TypeVar("T")


@final
class DaskExecutor(Cluster):
    """Runs evaluations as tasks of a Dask cluster, each in a process of its own on some node: ``search(executor=DaskExecutor())``.

    Dask runs a task again elsewhere where its worker is lost. Slurm, PBS, LSF, SGE, HTCondor and Kubernetes come through
    dask-jobqueue and dask-kubernetes.

    Args:
        cluster: Address of a scheduler, ``"tcp://HOST:PORT"``; a cluster object, such as a ``SLURMCluster``; or an open ``Client``.
            None means the scheduler that Dask is configured for (``DASK_SCHEDULER_ADDRESS``), or a new cluster on this machine.
        options: Of each task, as `Client.get_executor` takes them: ``resources={"GPU": 1}``, ``workers``, ``retries``.

    Raises:
        UsageError: If distributed is not installed, or there is no scheduler at the address.
    """

    def __init__(self, cluster: Any = None, **options: Any) -> None:  # noqa: ANN401 - those of Dask
        try:
            from dask import config
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise UsageError("Trainings on Dask need the extra: pip install 'optiproxy[dask]'.") from error
        self._opened: list[Any] = []
        if cluster is None and not config.get("scheduler-address", None):
            # Its dashboard would listen on all interfaces.
            quiet: Any = {"dashboard_address": None}
            cluster = LocalCluster(threads_per_worker=1, **quiet)
            self._opened.append(cluster)
        if isinstance(cluster, Client):
            self._client: Client = cluster
        else:
            try:
                self._client = Client(cluster)
            except (OSError, ValueError) as error:
                raise UsageError(
                    f"Cannot connect to a Dask scheduler at {cluster!r} ({error}). Start one with `dask scheduler`."
                ) from error
            self._opened.insert(0, self._client)
        # Two evaluations of one architecture are two, not one of which Dask knows the result.
        self._tasks: Executor = self._client.get_executor(pure=False, **options)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self._tasks.submit(fn, *args, **kwargs)

    def everywhere(self, fn: Callable[[str], None], argument: str, /) -> None:
        self._client.run(fn, argument, on_error="ignore")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the interface
        """Take no further calls, and close what was opened here."""
        self._tasks.shutdown(wait=wait)
        for opened in self._opened:
            opened.close()
