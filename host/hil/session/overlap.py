"""How much of a payload the device sends while it still computes the rest."""

from __future__ import annotations

from typing import Final

from hil.bundle import PayloadFormat
from hil.link.radio import Radio

EARLY_BYTES: Final = 320
"""Less would be mostly headers: WiFi's 76 bytes are 19 % of a packet of 396."""


def early_bytes(radio: Radio, payload: PayloadFormat | None) -> int:
    """What CONFIGURE asks for: whole packets of the radio, where they are no longer than `EARLY_BYTES`.

    0, all at the end, where there is no radio whose time could pass meanwhile, and for progressive
    payloads, of which the server half may have to take the first packets for the whole.
    """
    if payload is None or payload.progressive or radio.instant:
        return 0
    return min(radio.mtu_bytes, EARLY_BYTES)
