"""What the core tells whoever watches it: a profile, for example."""

from __future__ import annotations


class Observer:
    """Watches nothing. Stack pointers are those of the interrupted code."""

    def restarted(self) -> None:
        """The core begins anew, after a reset or for a call."""

    def slept(self, ticks: int) -> None:
        """It woke up; `ticks` is all sleep since power-on."""

    def entering(self, exception: int, sp: int) -> None:
        """It leaves what it does for the handler of `exception`."""

    def leaving(self) -> None:
        """A handler returns."""

    def chaining(self, exception: int) -> None:
        """Instead of resuming anything the core goes on to another handler."""

    def resumed(self, sp: int) -> None:
        """The code whose stack pointer is `sp` goes on."""
