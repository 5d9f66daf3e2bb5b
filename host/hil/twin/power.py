"""The supply of the chip: what is lost without it, and what a fresh start finds."""

from __future__ import annotations

import random

from hil.errors import BoardError
from hil.twin.engine import Engine
from hil.twin.memory import Memory
from hil.twin.peripherals.layout import Peripherals

_GENERAL = tuple(f"R{number}" for number in range(13))


class Power:
    """Switched on at first. Off, flash keeps its cells and everything else is gone."""

    def __init__(self, engine: Engine, memory: Memory, peripherals: Peripherals, seed: int) -> None:
        self._memory = memory
        self._peripherals = peripherals
        self._engine = engine
        self._random = random.Random(seed)
        self._registers = engine.registers(*_GENERAL)
        self.on = True

    def off(self, *, vbat: bool = False) -> None:
        """The supply falls away: RAM, registers, and without `vbat` the backup domain.

        A flash operation that runs ends half-way: see `FlashArray.interrupt`.
        """
        if not self.on:
            return
        self.on = False
        self._peripherals.reset()
        if not vbat:
            self._peripherals.rcc.lose_backup()
        for region in self._memory.regions:
            if region.writable:
                region.view[:] = self._random.randbytes(region.size)
        self._registers.write(*(self._random.getrandbits(32) for _ in _GENERAL))
        self._engine.flush()

    def require_on(self) -> None:
        """Raises BoardError while the supply is off."""
        if not self.on:
            raise BoardError("the twin has no power", "power_on() first")
