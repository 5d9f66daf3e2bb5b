"""Whether the device waited as long as the host meant it to: both measure the same span."""

from __future__ import annotations

from hil.boards.protocol import BoardInfo
from hil.session.bus import Bus
from hil.session.exchange import Exchange
from hil.session.tolerance import tolerance_s
from hil.wire.protocol import Outcome


def warn_of_drift(exchange: Exchange, clock_hz: int, board: BoardInfo, bus: Bus) -> None:
    """On a virtual board both ends share one clock; on others they agree but for the host's delays.

    For an exchange in which nothing was sent twice.
    """
    result = exchange.result
    if result is None or exchange.arrival_s is None or result.outcome is not Outcome.ANSWERED:
        return
    waited = result.cycles.overlap + result.cycles.wait
    wait_s, planned_s = waited / clock_hz, exchange.arrival_s - exchange.payload_start_s
    if abs(wait_s - planned_s) > tolerance_s(planned_s, board):
        bus.warn_once(
            "clock-drift",
            f"sample {exchange.index}: the device waited {1000 * wait_s:.3f} ms where "
            f"{1000 * planned_s:.3f} ms were scheduled",
            "the board's channel and its cycle counter do not run on one clock"
            if board.virtual_time
            else "the host was late, or the board's clock is slow: read `link` with this tolerance",
        )
