"""Flash interface (RM0385 chapter 3): wait states, locks, erasing, programming, protection."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.bus import BusFaultError
from hil.twin.flash_array import SECTOR_BYTES, SECTOR_STARTS, Change, FlashArray, sector_of
from hil.twin.machine import Machine
from hil.twin.memory import FLASH_BASE, FLASH_BYTES
from hil.twin.peripherals import flash_registers as f
from hil.twin.peripherals import flash_times as times
from hil.twin.peripherals.flash_keys import KeyLock
from hil.twin.peripherals.flash_options import OptionBytes
from hil.twin.peripherals.peripheral import Peripheral

FLASH_IRQ = 4
ROW_BYTES = 16
HZ_PER_WAIT_STATE = 30_000_000
"""RM0385 table 5, 2.7 V to 3.6 V: one more wait state for every 30 MHz; 7 up to 216 MHz."""

POLL_TICKS = 6400
"""A poll of BSY skips half of the time to the next event if that is longer: 64 core cycles."""


class FlashInterface(Peripheral):
    """The controller, the array behind it, and the one operation that runs at a time.

    The array changes when an operation begins. Nobody can see that, as whoever reads flash waits for
    the end: `busy` says so, and the run loop makes fetches and loads wait.
    """

    def __init__(self, machine: Machine, base: int = 0x4002_3C00, seed: int = 0) -> None:
        super().__init__(machine, "FLASH", base)
        self.array = FlashArray(machine.memory, seed)
        self.options = OptionBytes()
        self._keys = KeyLock(f.FLASH_KEYS)
        self._end = machine.alarm(self._complete)
        self._running: Change | None = None
        self._finish: Callable[[], None] | None = None
        self._half: tuple[int, bytes] | None = None
        self._told = False
        self.guarded = False
        """Loads from flash already come to the host: the run loop need not be told of an operation."""

    @property
    def busy(self) -> bool:
        """BSY: an operation runs, and flash answers nobody."""
        return self._end.at_fs is not None

    def latency_allows(self, hclk_hz: int) -> bool:
        """Whether the wait states are enough at `hclk_hz`."""
        latency = self.registers.get(f.FLASH_ACR, 0) & f.FLASH_ACR_LATENCY
        return hclk_hz <= HZ_PER_WAIT_STATE * (latency + 1)

    def reset(self) -> None:
        """A reset ends a running operation, whose cells are then in no defined state (RM0385 3.3.3)."""
        super().reset()
        if self.busy and self._running is not None:
            self.array.interrupt(self._running)
        self._end.set(None)
        self._running = self._finish = self._half = None
        self._keys.reset()
        self.options.reset()
        self._update_line()

    def read(self, offset: int) -> int:
        if offset == f.FLASH_SR:
            self._settle_half()
            value = self.registers.get(f.FLASH_SR, 0) | (f.FLASH_SR_BSY if self.busy else 0)
            self._hasten()
            return value
        return self.peek(offset)

    def peek(self, offset: int) -> int:
        match offset:
            case f.FLASH_KEYR | f.FLASH_OPTKEYR:
                return 0
            case f.FLASH_CR:
                lock = f.FLASH_CR_LOCK if self._keys.locked else 0
                return self.registers.get(f.FLASH_CR, 0) | lock
            case f.FLASH_OPTCR | f.FLASH_OPTCR1:
                return self.options.read(offset)
        return self.registers.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        if offset == f.FLASH_ACR:
            self._write_acr(value)
            return
        self._settle_half()
        if offset == f.FLASH_SR:
            self.registers[f.FLASH_SR] = self.registers.get(f.FLASH_SR, 0) & ~(value & f.FLASH_SR_FLAGS)
            self._update_line()
            return
        self.wait()
        match offset:
            case f.FLASH_KEYR:
                self._unlock(self._keys, offset, value)
            case f.FLASH_OPTKEYR:
                self._unlock(self.options.keys, offset, value)
            case f.FLASH_CR if not self._keys.locked:
                self._write_control(value)
            case f.FLASH_OPTCR | f.FLASH_OPTCR1:
                if self.options.write(offset, value):
                    self._start_options()

    def store(self, address: int, data: bytes) -> None:
        """A store to flash on the AXI port: programs, or sets an error and changes nothing.

        The bus holds a store until the operation before it ends. Two adjacent words at x64 are one
        operation if nothing comes between them: the 64-bit bus carries them together (STRD).
        """
        self.wait()
        if self._half is not None:
            start, first = self._half
            self._half = None
            if address == start + len(first) and len(data) == len(first):
                address, data = start, first + data
            else:
                self._fail(f.FLASH_SR_PGPERR)
        control = self.registers.get(f.FLASH_CR, 0)
        width = 1 << (control >> f.FLASH_CR_PSIZE_SHIFT & 3)
        if control & f.FLASH_CR_PG and width == 8 and len(data) == 4 and address % 8 == 0:
            self._half = address, data
        elif errors := self._refusal(address, len(data), control, width):
            self._fail(errors)
        else:
            self._begin(self.array.program(address, data), times.PROGRAM_FS)

    def wait(self) -> None:
        """The bus is held until the running operation ends: virtual time goes on, the core does not."""
        if self._end.at_fs is not None:
            self.machine.clock.wait_until(self._end.at_fs)
            self._end.set(None)
            self._complete()

    def _refusal(self, address: int, size: int, control: int, width: int) -> int:
        """The error flags of a store that cannot be carried out (RM0385 3.3.7), 0 of one that can.

        A bus error is not among them: a stray store only leaves ERSERR, and PGPERR where PSIZE does
        not fit, as boards show that wrote through a null pointer into flash.
        """
        errors = 0
        if not control & f.FLASH_CR_PG:
            self._tell(address)
            errors |= f.FLASH_SR_ERSERR
        if address % ROW_BYTES + size > ROW_BYTES:
            errors |= f.FLASH_SR_PGAERR
        elif size != width or address % size:
            errors |= f.FLASH_SR_PGPERR
        if not errors and self.options.protected_sectors >> sector_of(address) & 1:
            errors |= f.FLASH_SR_WRPERR
        return errors

    def _tell(self, address: int) -> None:
        """The chip says nothing but a flag that hardly anybody reads: most often it is a bad pointer."""
        if not self._told:
            self._told = True
            self.machine.warn(
                f"a store to flash at 0x{address:08x} while FLASH_CR_PG is clear: nothing changes but "
                "FLASH_SR_ERSERR"
            )

    def _write_acr(self, value: int) -> None:
        kept = f.FLASH_ACR_LATENCY | f.FLASH_ACR_PRFTEN | f.FLASH_ACR_ARTEN | f.FLASH_ACR_ARTRST
        self.registers[f.FLASH_ACR] = value & kept

    def _unlock(self, keys: KeyLock, offset: int, value: int) -> None:
        if not keys.write(value):
            raise BusFaultError("write", self.base + offset, 4)

    def _write_control(self, value: int) -> None:
        self.registers[f.FLASH_CR] = value & f.FLASH_CR_STORED
        if value & f.FLASH_CR_LOCK:
            self._keys.lock()
        erases = value & (f.FLASH_CR_SER | f.FLASH_CR_MER)
        # With both of them neither erase is performed (RM0385 3.3.6).
        if value & f.FLASH_CR_STRT and erases == f.FLASH_CR_SER:
            self._erase_sector(value >> f.FLASH_CR_SNB_SHIFT & 0xF, value >> f.FLASH_CR_PSIZE_SHIFT & 3)
        elif value & f.FLASH_CR_STRT and erases == f.FLASH_CR_MER:
            self._mass_erase(value >> f.FLASH_CR_PSIZE_SHIFT & 3)
        self._update_line()

    def _erase_sector(self, number: int, psize: int) -> None:
        if number >= len(SECTOR_BYTES):
            self._fail(f.FLASH_SR_ERSERR)
        elif self.options.protected_sectors >> number & 1:
            self._fail(f.FLASH_SR_WRPERR)
        else:
            size = SECTOR_BYTES[number]
            self._start(self.array.erase(SECTOR_STARTS[number], size), times.erase_fs(size, psize))

    def _mass_erase(self, psize: int) -> None:
        if self.options.protected_sectors:
            self._fail(f.FLASH_SR_WRPERR)
        else:
            self._start(self.array.erase(FLASH_BASE, FLASH_BYTES), times.mass_erase_fs(psize))

    def _start(self, change: Change, duration_fs: int) -> None:
        self.registers[f.FLASH_CR] |= f.FLASH_CR_STRT
        self._begin(change, duration_fs)

    def _start_options(self) -> None:
        if self.options.read_protection == f.RDP_LEVEL_2:
            self._fail(f.FLASH_SR_WRPERR)  # level 2 is for ever (RM0385 3.5.1)
            return

        def finish() -> None:
            if self.options.store():
                self._begin(self.array.erase(FLASH_BASE, FLASH_BYTES), times.mass_erase_fs(2))

        self._finish = finish
        self._begin(None, times.OPTIONS_FS)

    def _begin(self, change: Change | None, duration_fs: int) -> None:
        self._running = change
        self._end.set(self.machine.clock.now_fs + duration_fs)
        self.machine.state.flash_watch = 1
        if not self.guarded:
            self.machine.attention()

    def _complete(self) -> None:
        finish, self._running, self._finish = self._finish, None, None
        if finish is not None:
            finish()
        if self.busy:  # one operation brought about another
            return
        control = self.registers.get(f.FLASH_CR, 0) & ~f.FLASH_CR_STRT
        self.registers[f.FLASH_CR] = control
        if control & f.FLASH_CR_EOPIE:  # without it EOP stays clear (RM0385 3.7.4)
            self.registers[f.FLASH_SR] = self.registers.get(f.FLASH_SR, 0) | f.FLASH_SR_EOP
        self._update_line()

    def _fail(self, error: int) -> None:
        if self.registers.get(f.FLASH_CR, 0) & f.FLASH_CR_ERRIE:
            error |= f.FLASH_SR_OPERR
        self.registers[f.FLASH_SR] = self.registers.get(f.FLASH_SR, 0) | error
        self._update_line()

    def _settle_half(self) -> None:
        """The other half of a 64-bit word did not come: the store was too narrow."""
        if self._half is not None:
            self._half = None
            self._fail(f.FLASH_SR_PGPERR)

    def _hasten(self) -> None:
        """Firmware polls BSY: polls that change nothing are skipped, in virtual time as it would pass.

        The last stretch before another event is walked, as firmware may do something about it, such
        as feeding a watchdog.
        """
        state, end_fs = self.machine.state, self._end.at_fs
        if end_fs is None:
            return
        end = self.machine.clock.ticks_at(end_fs)
        left = min(state.deadline, end) - state.ticks
        if left > 0 and state.deadline >= end:
            self.wait()
            self.machine.next_deadline()
        elif left > POLL_TICKS:
            state.ticks += left // 2

    def _update_line(self) -> None:
        control, status = self.registers.get(f.FLASH_CR, 0), self.registers.get(f.FLASH_SR, 0)
        ended = control & f.FLASH_CR_EOPIE and status & f.FLASH_SR_EOP
        failed = control & f.FLASH_CR_ERRIE and status & f.FLASH_SR_OPERR
        self.machine.nvic.set_line(FLASH_IRQ, bool(ended or failed))
