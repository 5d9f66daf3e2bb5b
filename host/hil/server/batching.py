"""The way from a request to its answer: a fair queue, decoding, inference in batches, all of it timed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

from hil.errors import CodecError
from hil.server.answer import Answer, Request, Status
from hil.server.fair import FairQueue
from hil.server.limits import Limits
from hil.server.pace import Pace
from hil.server.remote import Decoded, Remote
from hil.server.stats import ServerStats

_DECODED_AT_ONCE = 8
"""Payloads that a worker takes from the queue together: a hand-over costs as much as decoding a short one."""

_WORKERS = 2
"""One infers while the other decodes: inference lets go of the interpreter, decoding does not."""


Reply = Callable[[Answer], None]


@dataclass(eq=False)
class _Waiting:
    """A request on its way, and what is known of it so far."""

    request: Request
    reply: Reply
    since_ns: int
    decode_ns: int = 0
    decoded: Decoded | None = None


_Answered = list[tuple[_Waiting, Answer]]


class Batcher:
    """Takes requests from any number of sessions and answers each exactly once.

    Two threads share the work, so that the event loop stays free for pings and refusals: whoever is free
    infers what is decoded, unless the other one is at it, and else decodes the next payload. While one
    batch is inferred the next one so gathers by itself: its size follows the load. Before inference begins,
    `Pace` decides whether it waits for more, for `Limits.delay_ms` at most.
    """

    def __init__(self, remote: Remote, limits: Limits, stats: ServerStats) -> None:
        self._remote = remote
        self._limits = limits
        self._stats = stats
        self._queue: FairQueue[_Waiting] = FairQueue(limits.queue_max)
        self._ready: deque[_Waiting] = deque()
        self._pace = Pace()
        self._work = threading.Condition()
        self._inferring = False
        self._decoding = 0
        self._idle_since_s: float | None = None
        """Since when inference could have begun and did not."""
        self._stopped = False
        self._pending = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._threads: list[threading.Thread] = []
        self.sessions = 0
        """Sessions that are there: a lone one never waits for others."""

    @property
    def waiting(self) -> int:
        """Requests that nobody has begun with."""
        return len(self._queue)

    async def start(self) -> None:
        """Returns when the threads are there and warm."""
        self._loop = asyncio.get_running_loop()
        warm = [asyncio.Event() for _ in range(_WORKERS)]
        for number, event in enumerate(warm):
            name = f"hil-infer-{number}"
            thread = threading.Thread(target=self._run, args=(event,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        await asyncio.gather(*(event.wait() for event in warm))

    def submit(self, session: Hashable, request: Request, reply: Reply) -> None:
        """Queues `request`; `reply` is called in the event loop, at once with BUSY when there is no place."""
        waiting = _Waiting(request, reply, time.monotonic_ns())
        with self._work:
            if taken := self._queue.put(session, waiting):
                self._pace.arrived(waiting.since_ns / 1e9)
                self._work.notify()
        if taken:
            self._pending += 1
            self._empty.clear()
        else:
            reply(Answer(Status.BUSY, detail=f"{len(self._queue)} requests are waiting"))

    def forget(self, session: Hashable) -> None:
        """Drops what `session`, which is gone, has waiting."""
        with self._work:
            dropped = self._queue.forget(session)
        self._finish(len(dropped))

    async def drain(self, timeout_s: float) -> bool:
        """Waits until all that was taken is answered, at most `timeout_s`; whether it was."""
        try:
            await asyncio.wait_for(self._empty.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Lets the threads go once they are done with what they are at."""
        with self._work:
            self._stopped = True
            self._work.notify_all()

    def _run(self, warm: asyncio.Event) -> None:
        with contextlib.suppress(Exception):  # no way to answer is found out by the first request
            self._remote.warm_up()
        self._tell(warm.set)
        while True:
            with self._work:
                task = None
                while task is None:
                    if self._stopped:
                        return
                    task = self._next()
            task()

    def _next(self) -> Callable[[], None] | None:
        """A batch to infer, or else some payloads to decode; None after a wait for news."""
        wait_s = None
        if self._ready and not self._inferring:
            wait_s = self._patience_s()
            if wait_s <= 0:
                return partial(self._infer, self._begin())
        room = self._limits.batch_max - len(self._ready) - self._decoding
        if (count := min(len(self._queue), room, _DECODED_AT_ONCE)) > 0:
            self._decoding += count
            return partial(self._decode, [self._queue.take() for _ in range(count)])
        self._work.wait(wait_s)
        return None

    def _patience_s(self) -> float:
        """How long inference had better wait for a larger batch; 0: it should begin."""
        if len(self._ready) >= self._limits.batch_max:
            return 0.0
        now_s = time.monotonic()
        self._idle_since_s = self._idle_since_s or now_s
        left_s = self._idle_since_s + self._limits.delay_ms / 1000 - now_s
        if left_s <= 0:
            return 0.0
        if len(self._queue) or self._decoding:
            return left_s
        return min(left_s, self._pace.patience_s(len(self._ready), now_s)) if self.sessions > 1 else 0.0

    def _begin(self) -> list[_Waiting]:
        self._inferring = True
        self._idle_since_s = None
        size = min(len(self._ready), self._limits.batch_max)
        batch = [self._ready.popleft() for _ in range(size)]
        if len(self._queue):
            self._work.notify()
        return batch

    def _decode(self, some: list[_Waiting]) -> None:
        unanswerable: _Answered = []
        ready: list[_Waiting] = []
        for waiting in some:
            error: Exception | None = None
            began_ns = time.monotonic_ns()
            try:
                waiting.decoded = self._remote.decode_request(waiting.request)
            except Exception as caught:  # the service outlives whatever a payload brings about
                error = caught
            waiting.decode_ns = time.monotonic_ns() - began_ns
            if waiting.decoded is not None and waiting.decoded.values is not None:
                ready.append(waiting)
            else:
                unanswerable.append((waiting, _unanswerable(waiting, error)))
        with self._work:
            self._decoding -= len(some)
            self._ready.extend(ready)
            self._work.notify()
        if unanswerable:
            self._tell(self._deliver, unanswerable, 0, 0)

    def _infer(self, batch: list[_Waiting]) -> None:
        began_ns = time.monotonic_ns()
        answered = self._answers(batch)
        took_ns = time.monotonic_ns() - began_ns
        with self._work:
            self._inferring = False
            self._pace.inferred(len(batch), took_ns / 1e9)
            self._work.notify()
        self._tell(self._deliver, answered, len(batch), took_ns)

    def _answers(self, batch: list[_Waiting]) -> _Answered:
        """One inference for all; when it fails, of both halves, so that only what cannot be is FAILED."""
        values = [one.decoded.values for one in batch if one.decoded and one.decoded.values is not None]
        began_ns = time.monotonic_ns()
        try:
            found = self._remote.logits(values)
            if len(found) != len(batch):
                raise RuntimeError(f"{len(found)} answers to {len(batch)} payloads")
        except Exception as error:  # the service outlives whatever the network raises
            if len(batch) > 1:
                middle = len(batch) // 2
                return self._answers(batch[:middle]) + self._answers(batch[middle:])
            detail = f"{type(error).__name__}: {error}"
            return [(batch[0], Answer(Status.FAILED, (), *_times(batch[0], began_ns), detail))]
        rows = found.tolist()
        return [
            (one, Answer(Status.OK, tuple(row), *_times(one, began_ns), channels=_channels(one)))
            for one, row in zip(batch, rows, strict=True)
        ]

    def _deliver(self, answered: _Answered, size: int, took_ns: int) -> None:
        """In the event loop: counts and replies."""
        stats = self._stats
        if size:
            stats.batches.add(size)
            stats.inference_s.add(took_ns / 1e9)
        for waiting, answer in answered:
            stats.decode_s.add(waiting.decode_ns / 1e9)
            stats.latency_s.add((time.monotonic_ns() - waiting.since_ns) / 1e9)
            waiting.reply(answer)
        self._finish(len(answered))

    def _finish(self, count: int) -> None:
        self._pending -= count
        if not self._pending:
            self._empty.set()

    def _tell(self, function: Callable[..., Any], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function, *arguments)


def _channels(waiting: _Waiting) -> int:
    return waiting.decoded.channels if waiting.decoded else 0


def _unanswerable(waiting: _Waiting, error: Exception | None) -> Answer:
    times = waiting.decode_ns // 1000, max(0, _waited_ns(waiting)) // 1000
    if error is None:
        return Answer(Status.EMPTY, (), *times, "no channel of the payload is complete")
    status = Status.CORRUPT if isinstance(error, CodecError) else Status.FAILED
    return Answer(status, (), *times, f"{type(error).__name__}: {error}")


def _times(waiting: _Waiting, began_ns: int) -> tuple[int, int]:
    """(server, queue) microseconds of a request whose inference began then and has just ended."""
    server_ns = waiting.decode_ns + time.monotonic_ns() - began_ns
    return server_ns // 1000, max(0, time.monotonic_ns() - waiting.since_ns - server_ns) // 1000


def _waited_ns(waiting: _Waiting) -> int:
    return time.monotonic_ns() - waiting.since_ns - waiting.decode_ns
