"""What the run loop asks of a debug port, where there is one."""

from __future__ import annotations

from typing import Protocol


class Debugger(Protocol):
    """What the run loop asks of the debug logic, when there is one."""

    @property
    def halted(self) -> bool:
        """The core is in debug state."""
        ...

    def interrupted(self) -> bool:
        """Whether it ended the run of the engine."""
        ...

    def breakpoint_instruction(self) -> bool:
        """The core met BKPT: true when the debugger takes it."""
        ...

    def faulted(self, exception: int) -> None:
        """The handler of a fault was entered: vector catch may halt the core in it."""
        ...
