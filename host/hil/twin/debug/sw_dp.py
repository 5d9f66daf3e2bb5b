"""The serial wire debug port (ADIv5.2 chapter 2), without its wire: register accesses and their answers.

An access ends with OK, with FAULT (FaultError) while a sticky error is set, or without any answer
(NoAnswerError) after a line reset until DPIDR is read. Results come at once: posting them to the next
transfer is a matter of the wire, which a probe hides.
"""

from __future__ import annotations

from hil.twin.debug.access import AccessError
from hil.twin.debug.ahb_ap import AhbAp

DP_DPIDR = 0x0
DP_ABORT = 0x0
DP_CTRL_STAT = 0x4
DP_SELECT = 0x8
DP_RDBUFF = 0xC
DPIDR_VALUE = 0x5BA0_2477

ABORT_STKCMPCLR = 1 << 1
ABORT_STKERRCLR = 1 << 2
ABORT_WDERRCLR = 1 << 3
ABORT_ORUNERRCLR = 1 << 4

CTRL_STAT_STICKYORUN = 1 << 1
CTRL_STAT_STICKYCMP = 1 << 4
CTRL_STAT_STICKYERR = 1 << 5
CTRL_STAT_READOK = 1 << 6
CTRL_STAT_WDATAERR = 1 << 7
CTRL_STAT_CDBGPWRUPREQ = 1 << 28
CTRL_STAT_CSYSPWRUPREQ = 1 << 30
CTRL_STAT_WRITABLE = 0x503F_FF0D
_REQUESTS = CTRL_STAT_CDBGPWRUPREQ | CTRL_STAT_CSYSPWRUPREQ
_STICKY = CTRL_STAT_STICKYORUN | CTRL_STAT_STICKYCMP | CTRL_STAT_STICKYERR

SELECT_APSEL_SHIFT = 24
SELECT_APBANKSEL = 0xF0
SELECT_DPBANKSEL = 0xF
LINE_RESET_BITS = 50


class FaultError(Exception):
    """The port answered FAULT: a sticky error is set."""


class NoAnswerError(Exception):
    """The port does not drive the line."""


class SwDp:
    """DP registers, and the way to the one access port."""

    def __init__(self, ap: AhbAp) -> None:
        self._ap = ap
        self.powered = True
        """The board's supply; without it nothing answers."""
        self.reset()

    def reset(self) -> None:
        """Power-on."""
        self._control = 0
        self._select = 0
        self._read_buffer = 0
        self._awaits_id = True
        self._ones = 0
        self._ap.reset()

    def sequence(self, length: int, bits: int) -> None:
        """`length` bits on SWDIO, lowest first; fifty ones reset the line (ADIv5.2 B4.3.3)."""
        for index in range(length):
            self._ones = self._ones + 1 if bits >> index & 1 else 0
            if self._ones >= LINE_RESET_BITS:
                self._awaits_id = True

    def read_dp(self, address: int) -> int:
        """A read of a DP register."""
        self._answer(address == DP_DPIDR)
        match address:
            case 0x0:
                self._awaits_id = False
                return DPIDR_VALUE
            case 0x4:
                return self._status() if not self._select & SELECT_DPBANKSEL else 0
        return self._read_buffer

    def write_dp(self, address: int, value: int) -> None:
        """A write to a DP register."""
        self._answer(False)
        match address:
            case 0x0:
                self._abort(value)
            case 0x4 if not self._select & SELECT_DPBANKSEL:
                self._control = self._control & _STICKY | value & CTRL_STAT_WRITABLE
            case 0x8:
                self._select = value

    def read_ap(self, address: int) -> int:
        """A read of the selected AP in the selected bank."""
        self._ready()
        if self._select >> SELECT_APSEL_SHIFT:
            return 0  # no other access port: all of its registers read 0, IDR included
        try:
            value = self._ap.read(self._select & SELECT_APBANKSEL | address & 0xC)
        except AccessError as error:
            self._fail(error)
        self._control |= CTRL_STAT_READOK
        self._read_buffer = value
        return value

    def write_ap(self, address: int, value: int) -> None:
        """A write to the selected AP in the selected bank."""
        self._ready()
        if self._select >> SELECT_APSEL_SHIFT:
            return
        try:
            self._ap.write(self._select & SELECT_APBANKSEL | address & 0xC, value)
        except AccessError as error:
            self._fail(error)

    def _status(self) -> int:
        """Each power request is acknowledged by the bit above it, at once."""
        return self._control | (self._control & _REQUESTS) << 1

    def _abort(self, value: int) -> None:
        for clear, sticky in (
            (ABORT_STKCMPCLR, CTRL_STAT_STICKYCMP),
            (ABORT_STKERRCLR, CTRL_STAT_STICKYERR),
            (ABORT_WDERRCLR, CTRL_STAT_WDATAERR),
            (ABORT_ORUNERRCLR, CTRL_STAT_STICKYORUN),
        ):
            if value & clear:
                self._control &= ~sticky

    def _answer(self, identifies: bool) -> None:
        if not self.powered or (self._awaits_id and not identifies):
            raise NoAnswerError

    def _ready(self) -> None:
        self._answer(False)
        if self._control & _STICKY:
            raise FaultError("a sticky error is set")
        if self._control & _REQUESTS != _REQUESTS:
            self._control |= CTRL_STAT_STICKYERR
            raise FaultError("the debug domain has no power")

    def _fail(self, error: AccessError) -> None:
        self._control = (self._control | CTRL_STAT_STICKYERR) & ~CTRL_STAT_READOK
        raise FaultError(str(error)) from error
