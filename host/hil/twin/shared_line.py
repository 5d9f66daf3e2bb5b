"""Interrupt lines that several peripherals share, such as 24 of TIM1's break and TIM9."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.twin.nvic import Nvic


class SharedLines:
    """Each line is the OR of its sources."""

    def __init__(self, nvic: Nvic) -> None:
        self._nvic = nvic
        self._high: dict[int, set[str]] = {}

    def set(self, irq: int, source: str, level: bool) -> None:
        """`source` drives line `irq`."""
        high = self._high.setdefault(irq, set())
        if level:
            high.add(source)
        else:
            high.discard(source)
        self._nvic.set_line(irq, bool(high))
