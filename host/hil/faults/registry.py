"""Every kind of fault by name."""

from __future__ import annotations

from typing import Final

from hil.errors import unknown_name
from hil.faults.kind import Kind
from hil.faults.kinds.frame_loss import FRAME_LOSS

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in (FRAME_LOSS,)}


def get(name: str) -> Kind:
    """Raises UsageError with the nearest name."""
    if name not in KINDS:
        raise unknown_name("fault", name, KINDS)
    return KINDS[name]
