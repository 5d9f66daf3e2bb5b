"""Flash patch and breakpoint unit, revision 2 (ARMv7-M ARM C1.11): eight code comparators."""

from __future__ import annotations

FPB_BASE = 0xE000_2000
FPB_SIZE = 0x1000
FP_CTRL = 0x000
FP_CTRL_ENABLE = 1 << 0
FP_CTRL_KEY = 1 << 1
FP_CTRL_REV_2 = 1 << 28
FP_COMP0 = 0x008
FP_COMP_BE = 1 << 0
FP_LAR = 0xFB0
FP_LSR = 0xFB4
COMPARATORS = 8


class Fpb:
    """Revision 2 has breakpoints anywhere and no remapping: FP_REMAP reads 0."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Power-on: disabled. A system reset leaves it alone."""
        self._enabled = False
        self._comparators = [0] * COMPARATORS

    @property
    def addresses(self) -> frozenset[int]:
        """Where the core must halt before it executes."""
        if not self._enabled:
            return frozenset()
        return frozenset(comparator & ~1 for comparator in self._comparators if comparator & FP_COMP_BE)

    def read(self, offset: int) -> int:
        if offset == FP_CTRL:
            # NUM_CODE[3:0] in bits 7:4; no literal comparators.
            return FP_CTRL_REV_2 | COMPARATORS << 4 | (FP_CTRL_ENABLE if self._enabled else 0)
        index = (offset - FP_COMP0) // 4
        return self._comparators[index] if 0 <= index < COMPARATORS else 0

    def write(self, offset: int, value: int) -> None:
        index = (offset - FP_COMP0) // 4
        if offset == FP_CTRL and value & FP_CTRL_KEY:
            self._enabled = bool(value & FP_CTRL_ENABLE)
        elif 0 <= index < COMPARATORS:
            self._comparators[index] = value
