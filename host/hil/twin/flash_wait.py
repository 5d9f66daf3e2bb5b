"""The core's waits for busy flash: fetches and loads from it, and the code that was rewritten."""

from __future__ import annotations

from hil.twin.engine import BadAccess, Engine
from hil.twin.machine import Machine
from hil.twin.memory import in_flash


class FlashWait:
    """Holds the core back while the flash controller works (RM0385 3.3.3)."""

    def __init__(self, machine: Machine, engine: Engine) -> None:
        self._machine = machine
        self._engine = engine

    def holds_fetch(self) -> bool:
        """Whether the next instruction lies in flash that is busy; rewritten code is translated anew."""
        if not self._machine.state.flash_watch:
            return False
        flash = self._machine.flash
        if flash.busy:
            self._guard(True)
        if not in_flash(self._engine.pc):
            return False
        if not flash.busy:
            self._engine.forget(flash.array.rewritten)
            self._machine.state.flash_watch = 0
        return flash.busy

    def holds_back(self, access: BadAccess) -> bool:
        """Whether `access` only failed because flash is guarded; it is repeated then, after a wait."""
        if not self._engine.flash_guarded or access.kind == "write" or not in_flash(access.address):
            return False
        if self._machine.flash.busy:
            self.wait()
        else:
            self._guard(False)
        return True

    def wait(self) -> None:
        """Time goes on to what happens next, the flash's end at the latest."""
        self._machine.clock.wait_until(self._machine.next_stop_fs())

    def _guard(self, guard: bool) -> None:
        """Loads from flash come to the host, or pass. Guarded it stays until the first load after it."""
        self._engine.guard_flash(guard)
        self._machine.flash.guarded = guard
