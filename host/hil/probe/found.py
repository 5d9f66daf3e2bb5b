"""The probes that pyOCD finds, as hil needs to know them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hil.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Probe:
    """A connected debug probe."""

    unique_id: str
    """Its USB serial number; a twin's, the name it was given."""
    product: str
    """What pyOCD calls it."""
    board: str | None = None
    """The board it is soldered to, by its maker's name."""
    is_twin: bool = False
    """An emulated board answers: nothing it says was measured on silicon."""
    serial_port: str | None = None
    """Where its board's UART is, when the probe itself can tell."""
    handle: Any = field(default=None, repr=False, compare=False)
    """pyOCD's own object."""

    def __str__(self) -> str:
        return f"{self.unique_id} ({self.product}{f' on {self.board}' if self.board else ''})"


def connected() -> Sequence[Probe]:
    """Every probe that pyOCD can open, by unique ID. Raises BoardError when pyOCD is not there."""
    try:
        from pyocd.core import exceptions
        from pyocd.probe.aggregator import DebugProbeAggregator
    except ImportError as error:
        raise BoardError(f"pyOCD cannot be used: {error}", "type: pip install pyocd") from None
    try:
        handles = DebugProbeAggregator.get_all_connected_probes()
    except (exceptions.Error, OSError) as error:
        raise BoardError(f"pyOCD cannot look for probes: {error}", "see `hil doctor`") from None
    return sorted((describe(handle) for handle in handles), key=lambda probe: probe.unique_id)


def describe(handle: Any) -> Probe:
    """pyOCD's probe in our words."""
    from hil.probe.twin_probe import TwinProbe

    return Probe(
        unique_id=str(handle.unique_id),
        product=str(handle.description),
        board=_board(handle),
        is_twin=isinstance(handle, TwinProbe),
        serial_port=getattr(handle, "serial_port", None),
        handle=handle,
    )


def _board(handle: Any) -> str | None:
    """Asks the probe, which may be busy or have firmware too old to know."""
    from pyocd.core import exceptions

    try:
        info = handle.associated_board_info
    except (exceptions.Error, OSError):
        return None
    return str(info.name) if info else None
