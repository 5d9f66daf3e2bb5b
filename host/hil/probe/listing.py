"""Connected probes, each with the board and the serial port a run would take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hil.boards.probe import FOLDER_OF
from hil.errors import BoardError
from hil.probe import serial_port
from hil.probe.found import Probe, connected
from hil.probe.log import ProbeLog


@dataclass(frozen=True)
class Listed:
    """A row of `hil boards --connected`. What is not known is None."""

    unique_id: str
    product: str
    board: str | None
    """What `--board` takes, where the probe tells."""
    serial_port: str | None


def listed() -> list[Listed]:
    """Every probe that pyOCD can open. Raises BoardError."""
    ProbeLog()  # pyOCD warns of what it cannot open; the doctor says it better
    ports = serial_port.ports()
    return [
        Listed(probe.unique_id, probe.product, FOLDER_OF.get(probe.board or ""), port_of(probe, ports))
        for probe in connected()
    ]


def port_of(probe: Probe, ports: Sequence[serial_port.Port]) -> str | None:
    """The probe's own port, whatever the environment names."""
    try:
        return serial_port.match(probe, ports, use_environment=False)
    except BoardError:
        return None
