"""What a crash looks like: place, cause, registers and a backtrace, as one message."""

from __future__ import annotations

from hil.errors import TwinFault
from hil.twin.engine import Engine
from hil.twin.image import Image
from hil.twin.memory import Memory

STACK_SCAN_BYTES = 8192
FRAMES_MAX = 16

_HINTS = {
    "read": "nothing of the STM32F746 answers at that address: look for a bad pointer",
    "write": "flash is read-only and unmapped addresses do not answer: look for a bad pointer",
    "fetch": "a function pointer or a return address was overwritten",
}


class FaultReporter:
    """Makes a TwinFault out of the state of the core."""

    def __init__(self, engine: Engine, memory: Memory, image: Image) -> None:
        self._memory = memory
        self._image = image
        self._place = engine.registers("PC", "LR", "SP", "XPSR")
        self._low = engine.registers("R0", "R1", "R2", "R3", "R12")

    def fault(self, cause: str, kind: str = "", pc: int | None = None) -> TwinFault:
        """The fault `cause` at `pc` (or where the core is), with everything that helps."""
        here, lr, sp, xpsr = self._place.read()
        pc = here if pc is None else pc
        lines = [f"{cause} at PC {self._image.describe(pc)}"]
        if exception := xpsr & 0x1FF:
            irq = f" (IRQ {exception - 16})" if exception > 15 else ""
            lines.append(f"  in exception {exception}{irq}")
        named = zip(("r0", "r1", "r2", "r3", "r12"), self._low.read(), strict=True)
        values = " ".join(f"{name}=0x{value:08x}" for name, value in named)
        lines.append(f"  {values} sp=0x{sp:08x} lr=0x{lr:08x}")
        lines += [f"  called from {self._image.describe(address)}" for address in self._backtrace(lr, sp)]
        return TwinFault("\n".join(lines), _HINTS.get(kind, ""))

    @property
    def pc(self) -> int:
        """Where the core is."""
        return self._place.read()[0]

    def _backtrace(self, lr: int, sp: int) -> list[int]:
        """Calls found in LR and by scanning the stack for addresses that follow a BL or BLX."""
        found = [(lr & ~1) - 2] if self._is_return(lr) else []
        region = self._memory.region(sp)
        if region is None or sp & 3:
            return found
        size = min(STACK_SCAN_BYTES, region.end - sp)
        stack = self._memory.read(sp, size)
        for at in range(0, size - 3, 4):
            word = int.from_bytes(stack[at : at + 4], "little")
            call = (word & ~1) - 2
            if self._is_return(word) and (not found or found[-1] != call):
                found.append(call)
            if len(found) == FRAMES_MAX:
                break
        return found

    def _is_return(self, word: int) -> bool:
        address = word & ~1
        if not word & 1 or not self._memory.holds(address - 4, 4):
            return False
        if self._image.functions and self._image.function_at(address - 2) is None:
            return False
        first, second = (int.from_bytes(self._memory.read(address - 4 + i, 2), "little") for i in (0, 2))
        is_bl = first & 0xF800 == 0xF000 and second & 0xD000 == 0xD000
        return is_bl or second & 0xFF87 == 0x4780  # BLX register
