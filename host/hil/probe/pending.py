"""Accesses to a debug port that wait to travel together.

A write returns at once, and a read may: both are sent when a result is needed, when enough have
come together, or by `flush`. What an access met on the way is told by the read it belongs to; a write
that failed is told by the flush that sent it.
"""

from __future__ import annotations

from collections.abc import Callable

from pyocd.core import exceptions

from hil.probe.protocol import Access, Outcome, Result

WORDS_TOGETHER = 1024
"""As much as one page of the auto-increment and its set-up: what waits longer gains nothing."""


class Pending:
    """One access, before and after it was sent."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.words: tuple[int, ...] | None = None
        self.error: exceptions.Error | None = None

    @property
    def size(self) -> int:
        """Words that it moves."""
        return len(self.access.words) if self.access.writes else self.access.count


class Transfers:
    """The queue in front of `send`, which raises pyOCD's exceptions when the twin is gone."""

    def __init__(self, send: Callable[[list[Access]], Outcome]) -> None:
        self._send = send
        self._waiting: list[Pending] = []
        self._words = 0

    def add(self, access: Access) -> Pending:
        """Takes an access."""
        if self._words + 1 > WORDS_TOGETHER:
            self.flush()
        pending = Pending(access)
        self._waiting.append(pending)
        self._words += pending.size
        return pending

    def result(self, pending: Pending) -> tuple[int, ...]:
        """The words that an access read. Raises what it met."""
        if pending.words is None and pending.error is None:
            self.flush()
        if pending.error is not None:
            raise pending.error
        return pending.words or ()

    def flush(self) -> None:
        """Sends what waits. Raises the error of a write among it; a read tells its own."""
        batch, self._waiting, self._words = self._waiting, [], 0
        if not batch:
            return
        try:
            outcome = self._send([pending.access for pending in batch])
        except exceptions.Error as error:
            for pending in batch:
                pending.error = error
            raise
        failure, lost_write = _failure(outcome.result), False
        done, words = outcome.done, outcome.words
        for pending in batch:
            if failure is not None and pending.size > done:
                pending.error = failure
                lost_write = lost_write or pending.access.writes
                done = 0
                continue
            done -= pending.size
            if pending.access.writes:
                pending.words = ()
            else:
                pending.words, words = words[: pending.size], words[pending.size :]
        if failure is not None and lost_write:
            raise failure


def _failure(result: Result) -> exceptions.Error | None:
    if result is Result.FAULT:
        return exceptions.TransferFaultError("the debug port answered FAULT")
    if result is Result.NO_ANSWER:
        return exceptions.TransferError("the debug port does not answer")
    return None
