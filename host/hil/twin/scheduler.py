"""What will happen at which virtual time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

Heap = list[tuple[int, int, "Alarm"]]


class Alarm:
    """One timed action of a peripheral, which can be set, moved and cancelled."""

    def __init__(self, scheduler: Scheduler, action: Callable[[], None], heap: Heap) -> None:
        self._scheduler = scheduler
        self._heap = heap
        self.action = action
        self.at_fs: int | None = None

    def set(self, at_fs: int | None) -> None:
        """Fires once at `at_fs`; None cancels. An earlier setting is forgotten."""
        if at_fs != self.at_fs:
            self.at_fs = at_fs
            if at_fs is not None:
                self._scheduler.push(at_fs, self, self._heap)


class Scheduler:
    """Alarms in the order of time; alarms of the same time fire in the order they were set.

    Alarms of the chip's clocks stand still while those do; always-on ones count elapsed time, which
    is ahead by `stopped_fs` (see Clock).
    """

    def __init__(self) -> None:
        self._clocked: Heap = []
        self._always: Heap = []
        self._order = count()
        self.on_earlier: Callable[[int], None] = lambda at_fs: None
        self.stopped_fs: Callable[[], int] = lambda: 0

    def alarm(self, action: Callable[[], None]) -> Alarm:
        """A new alarm on the chip's clocks, not set."""
        return Alarm(self, action, self._clocked)

    def always_alarm(self, action: Callable[[], None]) -> Alarm:
        """A new alarm on elapsed time, not set: it also fires in Stop and Standby."""
        return Alarm(self, action, self._always)

    def push(self, at_fs: int, alarm: Alarm, heap: Heap) -> None:
        """Enters `alarm`, and tells the run loop when nothing is due sooner."""
        heapq.heappush(heap, (at_fs, next(self._order), alarm))
        if heap[0][2] is alarm:
            self.on_earlier(at_fs - (self.stopped_fs() if heap is self._always else 0))

    def next_fs(self) -> int | None:
        """When the next alarm fires, on the chip's clocks, should they go on running."""
        clocked, always = _first(self._clocked), self.next_always_fs()
        if always is None:
            return clocked
        always -= self.stopped_fs()
        return always if clocked is None else min(clocked, always)

    def next_always_fs(self) -> int | None:
        """When the next always-on alarm fires, in elapsed time."""
        return _first(self._always)

    def run_due(self, now_fs: int) -> None:
        """Fires all alarms up to and including `now_fs`; on equal times always-on ones come first."""
        while True:
            always, clocked = self.next_always_fs(), _first(self._clocked)
            if always is not None:
                always -= self.stopped_fs()
            if always is not None and always <= now_fs and (clocked is None or always <= clocked):
                _fire(self._always)
            elif clocked is not None and clocked <= now_fs:
                _fire(self._clocked)
            else:
                return


def _first(heap: Heap) -> int | None:
    while heap and heap[0][2].at_fs != heap[0][0]:  # cancelled or moved
        heapq.heappop(heap)
    return heap[0][0] if heap else None


def _fire(heap: Heap) -> None:
    alarm = heapq.heappop(heap)[2]
    alarm.at_fs = None
    alarm.action()
