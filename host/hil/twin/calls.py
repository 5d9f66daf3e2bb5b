"""Calls of an image's functions by the AAPCS, without booting it."""

from __future__ import annotations

from collections.abc import Sequence

from hil.errors import BoardError
from hil.twin.core import RETURN_TRAP, Core
from hil.twin.engine import Engine
from hil.twin.image import Image
from hil.twin.memory import Memory
from hil.twin.state import NEVER, CoreState
from hil.twin.stop import StopReason

CALL_STACK_TOP = 0x2005_0000
CALL_BUDGET_INSTRUCTIONS = 1_000_000_000


class Variables:
    """The initialised variables of an image, set up once for all calls, unless firmware ran."""

    def __init__(self, image: Image, memory: Memory) -> None:
        self._image = image
        self._memory = memory
        self.initialised = False

    def initialise(self) -> None:
        """Copies .data as start-up code does before main; .bss is still zero."""
        if self.initialised:
            return
        self.initialised = True
        for segment in self._image.segments:
            region = self._memory.region(segment.run_address)
            if region is not None and region.writable:
                self._memory.write(segment.run_address, segment.data)


class Caller:
    """Puts arguments where the AAPCS wants them, and runs until the function returns."""

    def __init__(self, core: Core, engine: Engine, memory: Memory, state: CoreState) -> None:
        self._core = core
        self._memory = memory
        self._state = state
        self._arguments = engine.registers("R0", "R1", "R2", "R3", "LR")

    def call(self, name: str, address: int, args: Sequence[int], budget_instructions: int) -> int:
        """r0 of the function at `address`. Raises TwinFault, and BoardError when the budget is spent."""
        in_registers, on_stack = args[:4], args[4:]
        stack = (CALL_STACK_TOP - 4 * len(on_stack)) & ~7
        self._memory.write(stack, b"".join((a & 0xFFFF_FFFF).to_bytes(4, "little") for a in on_stack))
        self._core.reset(stack, address)
        padded = [argument & 0xFFFF_FFFF for argument in (*in_registers, 0, 0, 0, 0)[:4]]
        self._arguments.write(*padded, RETURN_TRAP | 1)
        reason = self._core.run(NEVER, self._state.instructions + budget_instructions)
        if reason is not StopReason.RETURNED:
            raise BoardError(
                f"{name} did not return: {reason} after {budget_instructions} instructions",
                "raise budget_instructions, or look for an endless loop",
            )
        return self._arguments.read()[0]
