"""Whether the firmware's code and constants are still what was flashed: asked, and judged."""

from __future__ import annotations

import zlib
from typing import Final

from hil.deploy.deployment import Deployment
from hil.deploy.seal import Seal, covered_bytes
from hil.errors import BoardError, FirmwareDamagedError
from hil.wire.protocol import Integrity
from hil.wire.to_device import Check
from hil.wire.to_host import Checked, Fault, Reject
from hil.wire.transport import PeerSilentError, Transport

HINT: Final = "flash the board again; if it comes back, its flash or its supply is not sound"

ANSWER_S: Final = 2.0
"""A megabyte takes 0.04 s at 216 MHz and 0.16 s at 60 MHz (twin_cycles)."""

_FINDINGS: Final = {
    Integrity.UNSEALED: "carries no CRC of itself",
    Integrity.FLASH: "differs in flash from its CRC",
    Integrity.COPY: "runs code from ITCM RAM that differs from flash",
}


def judge_start(check: Checked, seal: Seal | None) -> None:
    """Raises FirmwareDamagedError unless the check at the start found what `seal` says."""
    _judge(check)
    if seal is not None and (check.crc, check.covered_bytes) != (seal.crc, seal.covered_bytes):
        raise FirmwareDamagedError(
            f"the firmware has CRC {check.crc:#010x} over {check.covered_bytes} bytes, this build "
            f"{seal.crc:#010x} over {seal.covered_bytes}",
            HINT,
        )


def check_firmware(transport: Transport, deployment: Deployment, slowness: float, start: int) -> Checked:
    """Has the device check itself now, and judges its answer.

    The CRC begins with `start`. Other than 0 it asks for a number that is stored nowhere, which a check that
    is itself damaged does not give by chance.

    Raises FirmwareDamagedError, and BoardError when no answer comes.
    """
    start = start if deployment.seal is not None else 0
    transport.send(Check(start))
    until_s = transport.channel.now_s() + ANSWER_S * slowness
    while (received := transport.receive(until_s)) is not None:
        message = received.message
        if isinstance(message, Fault | Reject):
            raise BoardError(f"the device answered CHECK with {message.frame_type.name}", "see wire.jsonl")
        if isinstance(message, Checked):
            _judge(message)
            if start:
                _compare(message, zlib.crc32(covered_bytes(deployment.elf), start))
            return message
    raise PeerSilentError("the device did not answer CHECK", "see wire.jsonl")


def _judge(check: Checked) -> None:
    if check.integrity is not Integrity.SOUND:
        raise FirmwareDamagedError(f"the firmware {_FINDINGS[check.integrity]}", HINT)


def _compare(check: Checked, crc: int) -> None:
    if check.crc != crc:
        raise FirmwareDamagedError(f"the firmware {_FINDINGS[Integrity.FLASH]}", HINT)
