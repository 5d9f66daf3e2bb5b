"""The queue in front of the server half: bounded, served in batches, timed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hil.errors import CodecError
from hil.server.answer import Answer, Request, Status


@dataclass(frozen=True)
class Inferred:
    """What a server half makes of one request."""

    logits: NDArray[np.int16] | None
    """(classes,) with 8 fraction bits; None where no channel is complete."""
    channels: int
    """How many the logits rest on."""


class Remote(Protocol):
    """A server half that decodes and infers."""

    def answer(self, requests: list[Request]) -> list[Inferred]:
        """One for every request, all in one batch. Raises CodecError for a corrupt payload."""
        ...

    def warm_up(self) -> None:
        """One inference, so that the first sample does not pay for set-up."""
        ...


@dataclass(frozen=True)
class BatchLimits:
    """How much is queued and how long a batch is gathered."""

    queue_max: int = 64
    """Requests waiting; one more is answered BUSY."""
    batch_max: int = 16
    delay_ms: float = 0.0
    """How long the first request of a batch waits for others; 0: takes only those already there."""


@dataclass(frozen=True)
class _Waiting:
    request: Request
    since_ns: int
    reply: Callable[[Answer], None]


class Batcher:
    """Takes requests from any number of connections and answers each exactly once.

    Inference runs in one thread, so that the event loop stays free for pings and refusals.
    """

    def __init__(self, remote: Remote, limits: BatchLimits) -> None:
        self._remote = remote
        self._limits = limits
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(limits.queue_max)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hil-infer")

    def submit(self, request: Request, reply: Callable[[Answer], None]) -> None:
        """Queues `request`; `reply` is called in the event loop, at once with BUSY when full."""
        try:
            self._queue.put_nowait(_Waiting(request, time.monotonic_ns(), reply))
        except asyncio.QueueFull:
            reply(Answer(Status.BUSY, detail=f"{self._limits.queue_max} requests are waiting"))

    async def work(self) -> None:
        """Serves the queue until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            batch = await self._gather()
            answers = await loop.run_in_executor(self._thread, self._answer, batch)
            for waiting, answer in zip(batch, answers, strict=True):
                waiting.reply(answer)
                self._queue.task_done()

    async def drain(self, timeout_s: float) -> None:
        """Waits until all that is queued was answered, at most `timeout_s`."""
        try:
            await asyncio.wait_for(self._queue.join(), timeout_s)
        except TimeoutError:
            return

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _gather(self) -> list[_Waiting]:
        batch = [await self._queue.get()]
        if self._limits.delay_ms > 0 and self._queue.qsize() + 1 < self._limits.batch_max:
            await asyncio.sleep(self._limits.delay_ms / 1000)
        while len(batch) < self._limits.batch_max and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    def _answer(self, batch: list[_Waiting]) -> list[Answer]:
        """One inference for all; when a payload spoils it, one each, so that only its own fails."""
        began_ns = time.monotonic_ns()
        try:
            inferred = self._remote.answer([waiting.request for waiting in batch])
        except Exception as error:  # the service outlives whatever the network raises
            if len(batch) > 1:
                return [self._answer([waiting])[0] for waiting in batch]
            status = Status.CORRUPT if isinstance(error, CodecError) else Status.FAILED
            return [Answer(status, (), *_times(batch[0], began_ns), f"{type(error).__name__}: {error}")]
        if len(inferred) != len(batch):
            detail = f"{len(inferred)} answers to {len(batch)} payloads"
            return [Answer(Status.FAILED, detail=detail)] * len(batch)
        return [_said(*pair, began_ns) for pair in zip(batch, inferred, strict=True)]


def _said(waiting: _Waiting, inferred: Inferred, began_ns: int) -> Answer:
    times = _times(waiting, began_ns)
    if inferred.logits is None:
        return Answer(Status.EMPTY, (), *times, "no channel of the payload is complete")
    logits = tuple(int(logit) for logit in inferred.logits)
    return Answer(Status.OK, logits, *times, channels=inferred.channels)


def _times(waiting: _Waiting, began_ns: int) -> tuple[int, int]:
    """(server, queue) microseconds."""
    return (time.monotonic_ns() - began_ns) // 1000, (began_ns - waiting.since_ns) // 1000
