"""Every kind of fault by name."""

from __future__ import annotations

from typing import Final

from hil.errors import unknown_name
from hil.faults.kind import Kind
from hil.faults.kinds.bit_error import BIT_ERROR_AFTER_CRC, BIT_ERROR_BEFORE_CRC
from hil.faults.kinds.bit_flips import ARENA_BIT_FLIP, FLASH_READ_ERROR, WEIGHT_BIT_FLIP
from hil.faults.kinds.clock_jump import CLOCK_JUMP
from hil.faults.kinds.disk_full import DISK_FULL
from hil.faults.kinds.false_reply import FORGED_REPLY, REPLAYED_REPLY
from hil.faults.kinds.frame_loss import FRAME_LOSS
from hil.faults.kinds.frame_repeat import FRAME_DUPLICATE, FRAME_REORDER
from hil.faults.kinds.late import LATENCY_SPIKE, LINK_OUTAGE
from hil.faults.kinds.orchestrator_kill import ORCHESTRATOR_KILL
from hil.faults.kinds.resets import BROWN_OUT, WATCHDOG
from hil.faults.kinds.server_answers import SERVER_SLOW, WRONG_ANSWER_LENGTH
from hil.faults.kinds.server_stops import HALF_OPEN, SERVER_CRASH, SERVER_HANG
from hil.faults.kinds.server_swap import SERVER_SWAP
from hil.faults.kinds.stuck_sensor import STUCK_SENSOR
from hil.faults.kinds.unplugged import PROBE_UNPLUGGED, SERIAL_UNPLUGGED

LINK: Final = (
    FRAME_LOSS,
    FRAME_DUPLICATE,
    FRAME_REORDER,
    BIT_ERROR_AFTER_CRC,
    BIT_ERROR_BEFORE_CRC,
    LINK_OUTAGE,
    LATENCY_SPIKE,
    HALF_OPEN,
)
SERVER: Final = (
    SERVER_CRASH,
    SERVER_HANG,
    SERVER_SLOW,
    WRONG_ANSWER_LENGTH,
    SERVER_SWAP,
    FORGED_REPLY,
    REPLAYED_REPLY,
)
DEVICE: Final = (BROWN_OUT, WATCHDOG, STUCK_SENSOR, ARENA_BIT_FLIP, WEIGHT_BIT_FLIP, FLASH_READ_ERROR)
HOST: Final = (DISK_FULL, ORCHESTRATOR_KILL, PROBE_UNPLUGGED, SERIAL_UNPLUGGED, CLOCK_JUMP)
KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in (*LINK, *SERVER, *DEVICE, *HOST)}


def get(name: str) -> Kind:
    """Raises UsageError with the nearest name."""
    if name not in KINDS:
        raise unknown_name("fault", name, KINDS)
    return KINDS[name]
