"""A fault as the architecture describes it (ARMv7-M ARM B1.5.14, B3.2.15 to B3.2.19)."""

from __future__ import annotations

from dataclasses import dataclass

from hil.twin.nvic import BUS_FAULT as BUS_FAULT
from hil.twin.nvic import HARD_FAULT as HARD_FAULT
from hil.twin.nvic import MEM_MANAGE as MEM_MANAGE
from hil.twin.nvic import USAGE_FAULT as USAGE_FAULT

CFSR_IACCVIOL = 1 << 0
CFSR_DACCVIOL = 1 << 1
CFSR_MUNSTKERR = 1 << 3
CFSR_MSTKERR = 1 << 4
CFSR_MLSPERR = 1 << 5
CFSR_MMARVALID = 1 << 7
CFSR_IBUSERR = 1 << 8
CFSR_PRECISERR = 1 << 9
CFSR_IMPRECISERR = 1 << 10
CFSR_UNSTKERR = 1 << 11
CFSR_STKERR = 1 << 12
CFSR_LSPERR = 1 << 13
CFSR_BFARVALID = 1 << 15
CFSR_UNDEFINSTR = 1 << 16
CFSR_INVSTATE = 1 << 17
CFSR_INVPC = 1 << 18
CFSR_NOCP = 1 << 19
CFSR_UNALIGNED = 1 << 24
CFSR_DIVBYZERO = 1 << 25

HFSR_VECTTBL = 1 << 1
HFSR_FORCED = 1 << 30
HFSR_DEBUGEVT = 1 << 31
DFSR_BKPT = 1 << 1


@dataclass
class Fault(Exception):
    """What the core cannot do, before anybody decides what follows from it.

    `cause` is for people; the rest is what the status registers and the stacked frame will hold.
    `exception` is the fault's own handler: HARD_FAULT for those that have no other.
    """

    cause: str
    exception: int = HARD_FAULT
    cfsr: int = 0
    address: int | None = None
    """Goes to MMFAR or BFAR, with its valid bit."""
    hfsr: int = 0
    dfsr: int = 0
    kind: str = ""
    """read, write or fetch."""
    pc: int | None = None
    """The instruction's address where it is not the core's."""
    thumb: bool = True
    """EPSR.T at the fault: clear after a branch to an address without bit 0."""


class LockupError(Exception):
    """A fault at a priority where no handler can take it (ARMv7-M ARM B1.5.15)."""


def usage_fault(bit: int, cause: str, *, pc: int | None = None, thumb: bool = True) -> Fault:
    """A UsageFault; `bit` is one of UFSR's in CFSR."""
    return Fault(f"UsageFault ({_NAMES[bit]}): {cause}", USAGE_FAULT, bit, pc=pc, thumb=thumb)


_NAMES = {
    CFSR_UNDEFINSTR: "UNDEFINSTR",
    CFSR_INVSTATE: "INVSTATE",
    CFSR_INVPC: "INVPC",
    CFSR_NOCP: "NOCP",
    CFSR_UNALIGNED: "UNALIGNED",
    CFSR_DIVBYZERO: "DIVBYZERO",
}
