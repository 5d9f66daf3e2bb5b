"""Requests of many sessions in one bounded queue, taken from the sessions in turn."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Holds `size` items at most.

    A session may have as many waiting as there are places free (dynamic thresholds: Choudhury and Hahne,
    IEEE/ACM ToN 1998), so however greedy some are, a place is left for whoever comes next.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._count = 0
        self._waiting: OrderedDict[Hashable, deque[Item]] = OrderedDict()

    def __len__(self) -> int:
        return self._count

    def put(self, session: Hashable, item: Item) -> bool:
        """Whether there was a place for it."""
        own = self._waiting.get(session)
        if (len(own) if own else 0) >= self._size - self._count:
            return False
        if own is None:
            own = self._waiting[session] = deque()
        own.append(item)
        self._count += 1
        return True

    def take(self) -> Item:
        """The oldest item of the session whose turn it is. Raises KeyError when nothing waits."""
        session, own = next(iter(self._waiting.items()), (None, None))
        if own is None:
            raise KeyError("nothing waits")
        item = own.popleft()
        self._count -= 1
        if own:
            self._waiting.move_to_end(session)
        else:
            del self._waiting[session]
        return item

    def forget(self, session: Hashable) -> list[Item]:
        """Drops what `session` has waiting, and returns it."""
        own = self._waiting.pop(session, None)
        if own is None:
            return []
        self._count -= len(own)
        return list(own)
