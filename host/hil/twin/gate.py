"""Between the core and the peripherals: what the MPU and missing privileges forbid never reaches them."""

from __future__ import annotations

from hil.twin import fault_status as fs
from hil.twin.bus import Bus, BusFaultError
from hil.twin.fault_status import Fault
from hil.twin.mpu import PRIVATE_BUS_BASE, PRIVATE_BUS_END
from hil.twin.peripherals.itm import ITM_BASE, Itm
from hil.twin.peripherals.scb import Scb
from hil.twin.protection import Protection

STIR_ADDRESS = 0xE000_EF00


class Gate:
    """The core's way to the bus; the debug port and the DMA go to the bus itself."""

    def __init__(self, bus: Bus, protection: Protection, scb: Scb, itm: Itm) -> None:
        self._bus = bus
        self._protection = protection
        self._scb = scb
        self._itm = itm
        self.tolerant = False
        """Errors read as zero and write nothing: the access is repeated only to get past it."""

    def read(self, address: int, width: int) -> int:
        """`width` bytes at `address`. Raises Fault, BusFaultError."""
        if self._protection.restricts_peripherals:
            self._check("read", address, width)
        if not self.tolerant:
            return self._bus.read(address, width)
        try:
            return self._bus.read(address, width)
        except BusFaultError:
            return 0

    def write(self, address: int, width: int, value: int) -> None:
        """Stores `width` bytes at `address`. Raises Fault, BusFaultError."""
        if self._protection.restricts_peripherals:
            self._check("write", address, width)
        if not self.tolerant:
            self._bus.write(address, width, value)
            return
        try:
            self._bus.write(address, width, value)
        except BusFaultError:
            return

    def _check(self, kind: str, address: int, width: int) -> None:
        if PRIVATE_BUS_BASE <= address < PRIVATE_BUS_END:
            if not self._protection.privileged and not self._open_to_all(kind, address):
                cause = f"BusFault: unprivileged {kind} of {width} bytes at 0x{address:08x}"
                raise Fault(cause, fs.BUS_FAULT, fs.CFSR_PRECISERR, address, kind=kind)
            return
        fault = self._protection.violation(kind, address, width)
        if fault is not None:
            raise fault

    def _open_to_all(self, kind: str, address: int) -> bool:
        """STIR with CCR.USERSETMPEND, and the ITM's stimulus ports as ITM_TPR says."""
        if address == STIR_ADDRESS:
            return kind == "write" and self._scb.user_may_trigger
        offset = address - ITM_BASE
        return offset < 0x80 and self._itm.open_to_all(offset >> 2)
