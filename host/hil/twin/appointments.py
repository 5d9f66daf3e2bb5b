"""What an experimenter does to a core in the middle of its work, at a certain instruction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hil.twin.core import Core
from hil.twin.fault_status import LockupError
from hil.twin.machine import Machine
from hil.twin.state import NEVER

STEPS: Final = 64
"""Instructions that are executed one by one before an exact action: the block hook sees the begins of
blocks only."""


@dataclass(frozen=True)
class _Appointment:
    count: int
    action: Callable[[], None]
    exact: bool

    @property
    def soon(self) -> int:
        return max(0, self.count - STEPS) if self.exact else self.count


class Appointments:
    """Actions by instruction count, the next one first; they cost nothing while there are none."""

    def __init__(self) -> None:
        self._waiting: list[_Appointment] = []

    def add(self, count: int, action: Callable[[], None], exact: bool) -> None:
        """Keeps those of one count in the order they came."""
        self._waiting.append(_Appointment(count, action, exact))
        self._waiting.sort(key=lambda one: one.soon)

    def clear(self) -> None:
        """None is to come."""
        self._waiting.clear()

    @property
    def soon(self) -> int:
        """The instruction count that the core may run to before it is looked at."""
        return self._waiting[0].soon if self._waiting else NEVER

    def keep(self, core: Core, machine: Machine) -> None:
        """Walks to the next action and does it; where the core falls asleep on the way, there."""
        next_one = self._waiting.pop(0)
        while (
            machine.state.instructions < next_one.count
            and not (core.sleeping or core.locked_up)
            and machine.reset_request is None
        ):
            try:
                core.step()
            except LockupError:
                core.locked_up = True
        next_one.action()
