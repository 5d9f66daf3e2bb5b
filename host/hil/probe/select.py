"""Which probe is meant. Nobody is ever asked: an unclear choice is an error that lists what there is."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from hil.errors import BoardError
from hil.probe.found import Probe
from hil.probe.usb import blocked_stlinks

VARIABLE = "HIL_PROBE"
_NAME_IT = f"name one with --probe, or in {VARIABLE}; the start of its ID is enough"
NONE_HINT = (
    "check the USB cable (one that carries data) and the board's power; on Linux the udev rule of "
    "docs/bring-up.md; and the ST-LINK's firmware, which must be V2J24 or later"
)
UDEV_HINT = "add the udev rule of docs/bring-up.md and plug the board in again"


def choose(found: Sequence[Probe], wanted: str | None) -> Probe:
    """The probe whose unique ID is or begins with `wanted`; without it, the only one.

    `wanted` falls back to HIL_PROBE. Raises BoardError when none or several are meant.
    """
    wanted = wanted or os.environ.get(VARIABLE)
    if not found:
        raise _none()
    if not wanted:
        if len(found) == 1:
            return found[0]
        raise BoardError(f"{len(found)} probes are connected: {_listed(found)}", _NAME_IT)
    key = wanted.lower()
    exact = [probe for probe in found if probe.unique_id.lower() == key]
    matching = exact or [probe for probe in found if probe.unique_id.lower().startswith(key)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise BoardError(f"{len(matching)} probes begin with {wanted!r}: {_listed(matching)}", _NAME_IT)
    raise BoardError(f"no probe begins with {wanted!r}; connected: {_listed(found)}", _NAME_IT)


def _none(blocked: Callable[[], Sequence[str]] = blocked_stlinks) -> BoardError:
    if locked := blocked():
        return BoardError(f"no permission to open the ST-LINK at {', '.join(locked)}", UDEV_HINT)
    return BoardError("no debug probe is connected", NONE_HINT)


def _listed(probes: Sequence[Probe]) -> str:
    return ", ".join(map(str, probes))
