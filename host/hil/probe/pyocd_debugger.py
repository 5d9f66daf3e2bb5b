"""The `Debugger` that pyOCD is: one session with one probe, connected under reset."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from pyocd.core import exceptions
from pyocd.core.memory_map import FlashRegion, MemoryType
from pyocd.core.session import Session
from pyocd.flash.flash import Flash

from hil.errors import BoardError
from hil.probe.debugger import Sector
from hil.probe.found import Probe
from hil.probe.targets import ChosenTarget
from hil.twin.memory import FLASH_BASE, FLASH_BYTES

FREQUENCY_HZ: Final = 4_000_000
"""Of SWD; the fastest that an ST-LINK/V2-1 goes, and any board's short wires carry."""

CONNECT_MODES: Final = ("under-reset", "halt")
"""With NRST held low a core that sleeps, hangs or crashes at once is caught before its first
instruction, and the watchdog of the former firmware is off. A board whose NRST is not wired is
halted as it runs."""

RESET_S: Final = 0.02
"""How long NRST is held low; 20 us are enough (data sheet, NRST pin), a capacitor on it wants more."""

FLASH_TIMEOUTS_S: Final = {
    "flash.timeout.init": 5.0,
    "flash.timeout.erase_sector": 10.0,
    "flash.timeout.program": 10.0,
}
"""pyOCD's own; erasing a sector of 256 KB takes some seconds at most."""

_ERRORS = (exceptions.Error, OSError)
"""libusb's errors are `OSError`s."""

_CONNECT_HINT = "check the cable and the board's power, and that no debugger or IDE holds the probe"
_LOCKED_HINT = "flash that cannot be read may be read-protected (RDP): docs/bring-up.md says how to unlock it"


class PyocdDebugger:
    """A core held halted from construction to `run` or `close`.

    Everything raises BoardError. `slowness` stretches the limits for an emulated board.
    """

    def __init__(self, probe: Probe, target: ChosenTarget, slowness: float = 1.0) -> None:
        self._probe = probe
        self._session = self._connect(target, slowness)
        self.firmware = firmware_of(self._session.probe)
        """The probe's own firmware, where it tells."""

    def _connect(self, target: ChosenTarget, slowness: float) -> Session:
        for mode in CONNECT_MODES:
            session = None
            try:
                with told(f"cannot connect to probe {self._probe}", _CONNECT_HINT):
                    session = Session(self._probe.handle, options=_options(target, mode, slowness))
                    session.open()
                    if mode == "halt" or not session.target.is_halted():
                        session.target.reset_and_halt()
                return session
            except BoardError as error:
                _close(session)
                on_target = isinstance(error.__cause__, exceptions.TargetError | exceptions.TimeoutError)
                if mode == CONNECT_MODES[-1] or not on_target:
                    raise
        raise AssertionError("the last mode returns or raises")

    @cached_property
    def sectors(self) -> tuple[Sector, ...]:
        """The sectors of the flash at 0x08000000, ascending."""
        found = []
        for region in self._regions:
            address = region.start
            while address <= region.end:
                info = region.flash.get_sector_info(address)
                found.append(Sector(info.base_addr, info.size))
                address = info.base_addr + info.size
        return tuple(found)

    def read(self, address: int, size: int) -> bytes:
        with told(f"cannot read {size} bytes at {address:#010x}", _LOCKED_HINT):
            return bytes(self._session.target.read_memory_block8(address, size))

    def erase(self, sector: Sector) -> None:
        with told(f"cannot erase the sector at {sector.address:#010x}", _CONNECT_HINT):
            flash = self._at(sector.address)
            flash.init(Flash.Operation.ERASE)
            flash.erase_sector(sector.address)

    def program(self, address: int, data: bytes) -> None:
        with told(f"cannot program {len(data)} bytes at {address:#010x}", _CONNECT_HINT):
            flash = self._at(address)
            flash.init(Flash.Operation.PROGRAM)
            for at, page in pages(address, data, flash.get_page_info(address).size):
                flash.program_page(at, page)

    def run(self) -> None:
        with told("cannot reset the board", _CONNECT_HINT):
            if (used := getattr(self._session.context_state, "current_flash_algo", None)) is not None:
                used.cleanup()
            # Letting go clears DEMCR, and with it TRCENA: the cycle counter of firmware that already
            # runs would stop. So it happens with NRST low, and nothing runs in between.
            probe = self._session.probe
            probe.assert_reset(True)
            try:
                self._session.board.uninit()
                time.sleep(RESET_S)
            finally:
                probe.assert_reset(False)
        self.close()

    def close(self) -> None:
        _close(self._session)

    @cached_property
    def _regions(self) -> tuple[FlashRegion, ...]:
        """What can be programmed of the flash at 0x08000000: one region in a pack, several in ours."""
        flash = self._session.target.memory_map.iter_matching_regions(type=MemoryType.FLASH)
        regions = sorted((region for region in flash if _is_code(region)), key=lambda region: region.start)
        if not regions or regions[0].start != FLASH_BASE:
            raise BoardError(
                f"the target description has no flash algorithm for {FLASH_BASE:#010x}",
                "name the family's CMSIS pack with --pack",
            )
        return tuple(regions)

    def _at(self, address: int) -> Flash:
        return next(region.flash for region in self._regions if region.contains_address(address))


def _is_code(region: FlashRegion) -> bool:
    """Neither the option bytes nor the same flash seen from the ITCM."""
    return region.flash is not None and FLASH_BASE <= region.start < FLASH_BASE + FLASH_BYTES


def pages(address: int, data: bytes, size: int) -> Iterator[tuple[int, list[int]]]:
    """`data` in whole pages of `size` bytes, filled with erased bytes, the last first; none that is empty."""
    lead = address % size
    content = b"\xff" * lead + data
    content += b"\xff" * (-len(content) % size)
    for offset in reversed(range(0, len(content), size)):
        page = content[offset : offset + size]
        if page != b"\xff" * size:
            yield address - lead + offset, list(page)


def firmware_of(handle: Any) -> str | None:
    """The version of a probe's firmware, such as V2J43M28."""
    version = getattr(getattr(handle, "_link", handle), "version_str", None)
    return str(version) if version else None


@contextlib.contextmanager
def told(what: str, hint: str) -> Iterator[None]:
    """pyOCD's errors, and USB's, as BoardErrors that say what could not be done."""
    try:
        yield
    except _ERRORS as error:
        reason = str(error) or type(error).__name__
        raise BoardError(f"{what}: {reason}", hint) from error


def _options(target: ChosenTarget, mode: str, slowness: float) -> dict[str, Any]:
    given = {"pack": str(target.pack)} if target.pack else {}
    limits = {name: seconds * slowness for name, seconds in FLASH_TIMEOUTS_S.items()}
    return (
        given
        | limits
        | {
            "target_override": target.name,
            "connect_mode": mode,
            "frequency": FREQUENCY_HZ,
            "auto_unlock": False,  # it would erase a protected chip without being asked
            "cache.enable_memory": False,  # what is compared must come from the flash
            "no_config": True,
            "project_dir": os.getcwd(),
        }
    )


def _close(session: Session | None) -> None:
    if session is not None:
        with contextlib.suppress(*_ERRORS, AttributeError):
            session.close()
