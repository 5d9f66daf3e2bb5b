"""The wire to a board over a serial port, in real time. A pty of an emulated board is one, too."""

from __future__ import annotations

import time

import serial

from hil.errors import BoardError
from hil.wire.protocol import BOOT_BAUD

BITS_PER_BYTE = 10
"""8N1: start bit, eight data bits, stop bit."""

WRITE_TIMEOUT_S = 2.0
"""A port that takes nothing for so long is stuck. The longest frame takes 0.012 s at 921600 baud."""

_GONE_HINT = "check the USB cable, and that no other program uses the port"
_BROKEN = (serial.SerialException, OSError)
"""`SerialException` is an `OSError`, but ioctl and termios raise theirs unwrapped."""


class SerialChannel:
    """Bytes to and from a port that nobody else has open.

    Once the port fails, `lost` says how, and every further call raises it.
    """

    def __init__(self, name: str, baud: int = BOOT_BAUD) -> None:
        """Opens port `name`. Raises BoardError: missing, not permitted, or taken."""
        self.name = name
        self.lost: BoardError | None = None
        try:
            self._port = serial.Serial(name, baud, exclusive=True, write_timeout=WRITE_TIMEOUT_S)
        except (*_BROKEN, ValueError) as error:
            raise _cannot_open(name, error) from None
        self.discard()

    def now_s(self) -> float:
        """Seconds of the host's monotonic clock."""
        return time.monotonic()

    def byte_s(self) -> float:
        """Seconds one byte takes at the current rate."""
        return BITS_PER_BYTE / float(self._port.baudrate)

    def write(self, data: bytes, at_s: float | None = None) -> None:
        """Hands `data` to the port, not before `at_s`. Raises BoardError when the port is gone."""
        if at_s is not None:
            time.sleep(max(0.0, at_s - self.now_s()))
        self._check()
        try:
            self._port.write(data)
        except _BROKEN as error:
            raise self._fail(error) from None

    def read(self, until_s: float) -> bytes:
        """All bytes that are there, else the first that come before `until_s`; b"" when none did.

        Raises BoardError at once when the port is gone.
        """
        self._check()
        try:
            self._port.timeout = max(0.0, until_s - self.now_s())
            first: bytes = self._port.read(1)
            return first + self._port.read(self._port.in_waiting) if first else b""
        except _BROKEN as error:
            raise self._fail(error) from None

    def set_baud(self, baud: int) -> None:
        """Sends and receives at `baud` from now on. Raises BoardError when the port cannot."""
        self._check()
        if baud == self._port.baudrate:
            return
        try:
            self._port.flush()
            self._port.baudrate = baud
        except ValueError:
            raise BoardError(f"{self.name} cannot go at {baud} baud", "name another port") from None
        except _BROKEN as error:
            raise self._fail(error) from None

    def discard(self) -> None:
        """Forgets what came so far. Raises BoardError when the port is gone."""
        try:
            self._port.reset_input_buffer()
        except _BROKEN as error:
            raise self._fail(error) from None

    def close(self) -> None:
        """Gives the port back. Safe to call again."""
        try:
            self._port.close()
        except _BROKEN as error:
            self._fail(error)

    def unplug(self) -> None:
        """What the system does to an open port whose cable is pulled; every further call raises."""
        self.close()

    def _check(self) -> None:
        if self.lost is not None:
            raise self.lost

    def _fail(self, error: Exception) -> BoardError:
        self.lost = self.lost or BoardError(f"the serial port {self.name} is gone: {error}", _GONE_HINT)
        return self.lost


def _cannot_open(name: str, error: Exception) -> BoardError:
    text = str(error)
    if isinstance(error, PermissionError) or "Permission denied" in text:
        hint = "join the port's group and log in again: sudo usermod -aG dialout $USER"
        return BoardError(f"no permission to open the serial port {name}", hint)
    if "exclusively lock" in text or "busy" in text:
        return BoardError(
            f"the serial port {name} is in use", "close the other program; ModemManager probes new ports, too"
        )
    return BoardError(f"cannot open the serial port {name}: {text}", "see `hil boards --connected`")
