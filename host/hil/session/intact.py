"""Whether input and payload arrived as they were sent: the device tells what it had, end to end."""

from __future__ import annotations

import zlib

from hil.session.exchange import Exchange
from hil.wire.body import AlteredError


def check(exchange: Exchange, data: bytes) -> None:
    """`data` is the input that was meant. Raises AlteredError.

    A frame's CRC sees what happens on the wire; this also sees memory that changed before the frame was
    made, or after it was taken apart.
    """
    result = exchange.result
    if result is None:
        return
    if result.input_crc != zlib.crc32(data):
        raise AlteredError("the input was altered on its way to the device")
    if exchange.payload is not None and result.payload_crc != zlib.crc32(exchange.payload):
        raise AlteredError("the payload was altered on its way to the host")
