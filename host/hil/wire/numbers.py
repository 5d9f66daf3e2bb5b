"""The numbers of the messages of both ways: which is new, which is old, and where a conversation begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

AHEAD_MAX: Final = 256
"""A new message's number is at most so far ahead of the last one's: a device gives up a few in a row, and is
greeted anew. A conversation begins as far beyond all numbers of the one before it."""

_FURTHER_MAX: Final = 0x4000
"""How far the device may have counted ahead of the host. Beyond that it has counted less, or went round."""


@dataclass
class Numbers:
    """Each way counts on its own, modulo 2**16, from the number that HELLO and CAPABILITY have in common."""

    sent: int = 0
    """The host's last one."""
    delivered: int | None = None
    """The device's last one; before its first the one before HELLO's; None: there was no HELLO."""

    def begin(self) -> None:
        """The next message is a HELLO. What was said before is old on both sides, and no acknowledgement."""
        if self.delivered is not None:
            further = (self.delivered - self.sent) & 0xFFFF
            self.sent += AHEAD_MAX + (further if further < _FURTHER_MAX else 0)
        self.delivered = self.sent & 0xFFFF

    def next(self) -> int:
        """For a message of the host."""
        self.sent = (self.sent + 1) & 0xFFFF
        return self.sent

    def is_ahead(self, number: int) -> bool:
        """Whether `number` is a new message's, as far as that can be said by it."""
        return self.delivered is None or 0 < (number - self.delivered) & 0xFFFF <= AHEAD_MAX

    def is_behind(self, number: int) -> bool:
        """Delivered already, or so late that others have overtaken it (RFC 1982, 3.2)."""
        return self.delivered is not None and (self.delivered - number) & 0xFFFF < 0x8000
