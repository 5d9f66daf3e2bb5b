"""What follows from a fault: a report that ends the run, a handler, or lockup (ARMv7-M ARM B1.5)."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from hil.errors import UsageError
from hil.twin import fault_status as fs
from hil.twin.fault_status import Fault, LockupError
from hil.twin.faults import FaultReporter
from hil.twin.nvic import Nvic

_ADDRESS_VALID = {fs.MEM_MANAGE: fs.CFSR_MMARVALID, fs.BUS_FAULT: fs.CFSR_BFARVALID}


class Faults(StrEnum):
    """What a twin does with faults."""

    STOP = "stop"
    """The run ends with a TwinFault: the best diagnostics."""
    DELIVER = "deliver"
    """Firmware's handlers take them, as on the chip."""


def faults_of(name: str) -> Faults:
    """The mode of that name. Raises UsageError."""
    try:
        return Faults(name)
    except ValueError:
        raise UsageError(f"{name!r} is no way to treat faults", f"one of {', '.join(Faults)}") from None


class FaultUnit:
    """Records faults and chooses the exception that takes them.

    `cfsr`, `hfsr`, `dfsr`, `mmfar` and `bfar` are the registers of the SCB.
    """

    def __init__(
        self, mode: Faults, nvic: Nvic, reporter: FaultReporter, warn: Callable[[str], None]
    ) -> None:
        self.deliver = mode is Faults.DELIVER
        self._nvic = nvic
        self._reporter = reporter
        self._warn = warn
        self._seen: set[tuple[int | None, str]] = set()
        self.reset()

    def reset(self) -> None:
        """The status registers are clear; addresses too, though silicon leaves them unknown."""
        self.cfsr = self.hfsr = self.dfsr = self.mmfar = self.bfar = 0

    def resolve(self, fault: Fault, priority: int) -> int:
        """The exception that takes `fault` where code of `priority` runs.

        Records it in the status registers. Raises TwinFault where faults stop the run, and
        LockupError when not even HardFault can be taken.
        """
        self._report(fault)
        self._record(fault)
        number = fault.exception
        enabled = self._nvic.enabled >> number & 1 and number != fs.HARD_FAULT
        if enabled and self._nvic.group_priority(number) < priority:
            return number
        if priority <= self._nvic.group_priority(fs.HARD_FAULT):
            raise LockupError(fault.cause)
        self.hfsr |= fs.HFSR_FORCED if number != fs.HARD_FAULT else 0
        return fs.HARD_FAULT

    def pend(self, fault: Fault) -> None:
        """An asynchronous fault: it waits where its priority is not reached yet."""
        self._report(fault)
        self._record(fault)
        if self._nvic.enabled >> fault.exception & 1:
            self._nvic.pend(fault.exception)
        else:
            self.hfsr |= fs.HFSR_FORCED
            self._nvic.pend(fs.HARD_FAULT)

    def _record(self, fault: Fault) -> None:
        self.cfsr |= fault.cfsr
        self.hfsr |= fault.hfsr
        self.dfsr |= fault.dfsr
        if fault.address is None:
            return
        self.cfsr |= _ADDRESS_VALID.get(fault.exception, 0)
        if fault.exception == fs.MEM_MANAGE:
            self.mmfar = fault.address
        else:
            self.bfar = fault.address

    def _report(self, fault: Fault) -> None:
        report = self._reporter.fault(fault.cause, fault.kind, fault.pc)
        if not self.deliver:
            raise report
        place = self._reporter.pc if fault.pc is None else fault.pc
        if (place, fault.cause) not in self._seen:
            self._seen.add((place, fault.cause))
            self._warn(report.message)
