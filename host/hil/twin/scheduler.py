"""What will happen at which virtual time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Alarm:
    """One timed action of a peripheral, which can be set, moved and cancelled."""

    def __init__(self, scheduler: Scheduler, action: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self.action = action
        self.at_fs: int | None = None

    def set(self, at_fs: int | None) -> None:
        """Fires once at `at_fs`; None cancels. An earlier setting is forgotten."""
        if at_fs != self.at_fs:
            self.at_fs = at_fs
            if at_fs is not None:
                self._scheduler.push(at_fs, self)


class Scheduler:
    """Alarms in the order of time; alarms of the same time fire in the order they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Alarm]] = []
        self._order = count()
        self.on_earlier: Callable[[int], None] = lambda at_fs: None

    def alarm(self, action: Callable[[], None]) -> Alarm:
        """A new alarm, not set."""
        return Alarm(self, action)

    def push(self, at_fs: int, alarm: Alarm) -> None:
        """Enters `alarm`, and tells the run loop when nothing is due sooner."""
        heapq.heappush(self._heap, (at_fs, next(self._order), alarm))
        if self._heap[0][2] is alarm:
            self.on_earlier(at_fs)

    def next_fs(self) -> int | None:
        """When the next alarm fires."""
        heap = self._heap
        while heap and heap[0][2].at_fs != heap[0][0]:  # cancelled or moved
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def run_due(self, now_fs: int) -> None:
        """Fires all alarms up to and including `now_fs`."""
        while (at_fs := self.next_fs()) is not None and at_fs <= now_fs:
            alarm = heapq.heappop(self._heap)[2]
            if alarm.at_fs == at_fs:
                alarm.at_fs = None
                alarm.action()
