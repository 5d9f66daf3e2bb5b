"""Clocks that stop while a debugger holds the core (RM0385 40.16.4, DBGMCU_APB1_FZ and APB2_FZ)."""

from __future__ import annotations

from collections.abc import Callable


class DebugFreeze:
    """Whether the core is halted, and which peripherals stand still then."""

    def __init__(self) -> None:
        self._halted = False
        self._bits = {1: 0, 2: 0}
        self.watchers: list[tuple[Callable[[], None], Callable[[], None]]] = []
        """Called before and after a change, to count up to it and to arm anew."""

    @property
    def halted(self) -> bool:
        """The core is halted for debugging."""
        return self._halted

    def set_halted(self, halted: bool) -> None:
        """The debug port halted the core, or let it go."""
        if halted != self._halted:
            self._change(lambda: setattr(self, "_halted", halted))

    def set_bits(self, apb: int, bits: int) -> None:
        """Firmware or debugger wrote DBGMCU_APB1_FZ or DBGMCU_APB2_FZ."""
        if bits != self._bits[apb]:
            self._change(lambda: self._bits.update({apb: bits}))

    def frozen(self, apb: int, bit: int) -> bool:
        """Whether the peripheral with this bit stands still now."""
        return self._halted and bool(self._bits[apb] >> bit & 1)

    def _change(self, action: Callable[[], None]) -> None:
        for before, _ in self.watchers:
            before()
        action()
        for _, after in self.watchers:
            after()
