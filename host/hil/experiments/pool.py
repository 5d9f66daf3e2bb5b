"""Where cells are measured: a pool of processes here, or a cluster elsewhere (`dask_pool`)."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from typing import Protocol

from hil.experiments.outcome import Job, Outcome, died, perform

Started = Callable[[Job], None]

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Cells run side by side, so each has one core."""
_END_S = 5.0
"""A worker that is told to end, and has not ended by then, is not asked again."""


class Pool(Protocol):
    """Measures jobs, in whatever order."""

    @property
    def workers(self) -> int:
        """How many jobs it measures at a time."""
        ...

    def run(
        self, jobs: Sequence[Job], started: Started, *, one_by_one: bool = False
    ) -> Iterator[tuple[Job, Outcome]]:
        """Every job exactly once, as soon as it ends; `started` hears of each before.

        `one_by_one` leaves the machine to each alone. Closing the iterator, or an exception thrown into
        it, ends what is under way.
        """
        ...


class ProcessPool:
    """Processes of this machine. One that dies takes only its own job with it."""

    def __init__(self, workers: int) -> None:
        self._workers = max(1, workers)

    @property
    def workers(self) -> int:
        return self._workers

    def run(
        self, jobs: Sequence[Job], started: Started, *, one_by_one: bool = False
    ) -> Iterator[tuple[Job, Outcome]]:
        """See `Pool`. When a process dies nobody can say which job it had: those under way go one by one."""
        waiting = list(jobs)
        while waiting:
            suspects: list[Job] = []
            for job, outcome in _crew(waiting, 1 if one_by_one else self._workers, started):
                if outcome is None:
                    suspects.append(job)
                else:
                    waiting.remove(job)
                    yield job, outcome
            for job in suspects:
                waiting.remove(job)
                yield job, _apart(job)


def _crew(jobs: Sequence[Job], workers: int, started: Started) -> Iterator[tuple[Job, Outcome | None]]:
    """Ends after all jobs, or after a process died, with None for the jobs it may have had."""
    others = multiprocessing.active_children()
    executor = _executor(min(workers, len(jobs)))
    left, running = iter(tuple(jobs)), dict[Future[Outcome], Job]()

    def feed() -> None:
        for job in left:
            started(job)
            running[executor.submit(perform, job)] = job
            if len(running) == workers:
                return

    try:
        feed()
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                job = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    yield job, None
                    yield from ((other, _late(future)) for future, other in running.items())
                    return
                yield job, future.result()
            feed()
    finally:
        _end(executor, others)


def _late(future: Future[Outcome]) -> Outcome | None:
    """Of a job that ended just before the pool broke."""
    wait([future])
    return None if future.exception() else future.result()


def _apart(job: Job) -> Outcome:
    """`job` in a process of its own: if that dies, too, it was this job."""
    others = multiprocessing.active_children()
    executor = _executor(1)
    try:
        return executor.submit(perform, job).result()
    except BrokenProcessPool as error:
        return died(str(error).partition(".")[0])
    finally:
        _end(executor, others)


def _executor(workers: int) -> ProcessPoolExecutor:
    """Fresh interpreters, since torch's threads do not survive a fork."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_prepare)


def _prepare() -> None:
    """In a worker, before numpy and torch are there: Ctrl-C is for the parent, whose end is also ours."""
    os.environ.update(_ONE_THREAD)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _end(executor: ProcessPoolExecutor, others: Collection[BaseProcess]) -> None:
    """Stops the processes of `executor`, also those at work."""
    executor.shutdown(wait=False, cancel_futures=True)
    ours = [process for process in multiprocessing.active_children() if process not in others]
    for process in ours:
        process.terminate()
    for process in ours:
        process.join(_END_S)
        if process.is_alive():
            process.kill()
            process.join()
