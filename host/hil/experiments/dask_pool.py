"""Cells measured by a Dask cluster that somebody else started, with the same hil on every worker."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from uuid import uuid4

from hil.errors import HilError, UsageError
from hil.experiments.outcome import Job, Outcome, died, perform
from hil.experiments.pool import Started
from hil.experiments.result import CellError

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT_S: Final = 20.0
_LOOK_S: Final = 0.5
"""Between two looks at whether there is still a worker."""

_GREETING_MOST: Final = 1 << 20
"""A scheduler speaks first: eight bytes that say how many follow. Its own client would wait for ever."""

_ONE_AT_A_TIME = threading.Lock()
"""Of a worker's process: an emulator's signals and torch's random numbers belong to all of its threads."""


class ClusterError(HilError):
    """A Dask cluster went away in the middle."""

    code = "cluster"


class DaskPool:
    """The workers of the cluster at `address`. What one of them had when it died, another one gets."""

    def __init__(self, address: str, patience_s: float = 30.0) -> None:
        """`patience_s` is how long a cluster may be without any worker.

        Raises UsageError where Dask is not installed, and where no cluster is at `address`.
        """
        self._address, self._patience_s = address, patience_s
        self._client = _connect(address)
        if not self._count():
            self.close()
            raise UsageError(
                f"the Dask cluster at {address} has no workers", f"start some: dask worker {address}"
            )

    @property
    def workers(self) -> int:
        """Those that are there now; others may come."""
        return max(1, self._count())

    def run(
        self, jobs: Sequence[Job], started: Started, *, one_by_one: bool = False
    ) -> Iterator[tuple[Job, Outcome]]:
        """See `Pool`. Raises ClusterError when the scheduler is gone, or the last worker for too long."""
        left = iter(jobs)
        running: dict[Future, Job] = {}
        ended: SimpleQueue[Future] = SimpleQueue()
        try:
            while True:
                self._feed(left, running, started, ended, 1 if one_by_one else self.workers)
                if not running:
                    return
                future = self._next(ended)
                job = running.pop(future)
                yield job, self._outcome(future)
        finally:
            if running and self._client.status == "running":
                self._client.cancel(list(running), force=True)

    def _feed(
        self,
        left: Iterator[Job],
        running: dict[Future, Job],
        started: Started,
        ended: SimpleQueue[Future],
        at_a_time: int,
    ) -> None:
        """Hands on as many jobs as there are workers, so that each begins about when it is said to."""
        while len(running) < at_a_time and (job := next(left, None)) is not None:
            started(job)
            key = f"hil-{job.key}-{uuid4().hex}"  # so that no other client's cell is taken for ours
            future = self._client.submit(measure, job, key=key, pure=False)
            running[future] = job
            future.add_done_callback(ended.put)

    def _next(self, ended: SimpleQueue[Future]) -> Future:
        seen_s = time.monotonic()
        while True:
            with suppress(Empty):
                return ended.get(timeout=_LOOK_S)
            if self._count():
                seen_s = time.monotonic()
            elif time.monotonic() - seen_s > self._patience_s:
                raise ClusterError(
                    f"the Dask cluster at {self._address} has had no worker for {self._patience_s:g} s",
                    "finished cells are kept: start workers, and the same command again",
                )

    def _outcome(self, future: Future) -> Outcome:
        if future.status == "finished":
            outcome: Outcome = future.result()
            return outcome
        if self._client.status != "running":
            raise self._gone()
        if future.status != "error":
            return CellError("cancelled", "somebody else cancelled this cell on the cluster")
        return _reason(future.exception())

    def _count(self) -> int:
        try:
            return len(self._client.nthreads())
        except OSError:  # Dask's closed connections are such
            raise self._gone() from None

    def _gone(self) -> ClusterError:
        return ClusterError(
            f"the Dask scheduler at {self._address} is gone",
            "finished cells are kept: once it is back, the same command goes on with the others",
        )

    def close(self) -> None:
        """Leaves the cluster, which goes on."""
        self._client.close(timeout=_CONNECT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def measure(job: Job) -> Outcome:
    """`job` in a worker, one at a time however many threads that has."""
    with _ONE_AT_A_TIME:
        return perform(job)


def _reason(error: BaseException) -> CellError:
    """What Dask says of a cell that hil never came to."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return died("so did every other worker that was given it")
    return CellError(
        "worker",
        f"a worker cannot take this cell: {type(error).__name__}: {error}",
        "have the same hil and the same Python where scheduler and workers run",
    )


def _connect(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("Dask is not installed", "pip install 'hil[dask]'") from None
    _check(address)
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it would log, we raise
    try:
        return Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        raise _nobody(address, str(error)) from None


def _check(address: str) -> None:
    """Raises UsageError at once where there is no such address, or no scheduler behind it."""
    from distributed.comm import get_address_host_port
    from distributed.comm.registry import backends

    full = address if "://" in address else f"tcp://{address}"
    protocol = full.partition("://")[0]
    if protocol not in backends:
        raise UsageError(f"Dask knows no protocol {protocol!r}", f"valid: {', '.join(sorted(backends))}")
    try:
        host, port = get_address_host_port(full, strict=True)
    except ValueError:
        raise UsageError(
            f"{address!r} is no address of a Dask scheduler", "for example tcp://127.0.0.1:8786"
        ) from None
    try:
        with socket.create_connection((host, port), _CONNECT_S) as connection:
            first = connection.recv(8, socket.MSG_WAITALL) if protocol == "tcp" else b""
    except OSError as error:
        raise _nobody(address, error.strerror or str(error)) from None
    if protocol == "tcp" and not 0 < int.from_bytes(first, "little") < _GREETING_MOST:
        raise _nobody(address, "somebody else does")


def _nobody(address: str, why: str) -> UsageError:
    return UsageError(f"no Dask scheduler answers at {address}: {why}", "start one: dask scheduler")
