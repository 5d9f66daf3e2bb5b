"""Which serial port is the board's: the one with the probe's USB serial number."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from hil.errors import BoardError
from hil.probe.found import Probe

VARIABLE = "HIL_SERIAL"


@dataclass(frozen=True)
class Port:
    """A serial port of this machine."""

    device: str
    usb_serial: str | None = None
    description: str = ""

    def __str__(self) -> str:
        return f"{self.device} ({self.description})" if self.description else self.device


def ports() -> Sequence[Port]:
    """Every serial port that pyserial finds, by name."""
    from serial.tools import list_ports

    found = (
        Port(port.device, port.serial_number, _described(port.description)) for port in list_ports.comports()
    )
    return sorted(found, key=lambda port: port.device)


def _described(text: str | None) -> str:
    return "" if text in (None, "n/a") else str(text)


def match(
    probe: Probe, found: Sequence[Port], wanted: str | None = None, use_environment: bool = True
) -> str:
    """The port of `probe`'s board: `wanted`, else HIL_SERIAL, else by the USB serial number.

    An ST-LINK with two ports has the board's UART on the first. Raises BoardError when none matches.
    """
    if named := wanted or (os.environ.get(VARIABLE) if use_environment else None):
        return named
    if probe.serial_port:
        return probe.serial_port
    key = probe.unique_id.lower()
    matching = [port for port in found if port.usb_serial and port.usb_serial.lower() == key]
    if matching:
        return matching[0].device
    listed = ", ".join(map(str, found)) or "none"
    raise BoardError(
        f"no serial port has the USB serial number of probe {probe.unique_id}; ports: {listed}",
        f"name the board's with --serial, or in {VARIABLE}",
    )
