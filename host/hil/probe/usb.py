"""ST-LINKs that the system sees and this user may not open: Linux without a udev rule."""

from __future__ import annotations

import os
from pathlib import Path

ST_VENDOR = "0483"
STLINK_PRODUCTS = frozenset({"3748", "374a", "374b", "374e", "374f", "3752", "3753", "3754", "3755", "3757"})
"""V2, V2-1 and V3, as pyOCD knows them."""

SYSFS = Path("/sys/bus/usb/devices")
NODES = Path("/dev/bus/usb")


def blocked_stlinks(sysfs: Path = SYSFS, nodes: Path = NODES) -> list[str]:
    """The device nodes of ST-LINKs that cannot be written to; empty elsewhere than on Linux."""
    found = []
    for device in sorted(sysfs.glob("*")):
        if _text(device / "idVendor") != ST_VENDOR or _text(device / "idProduct") not in STLINK_PRODUCTS:
            continue
        bus, number = _text(device / "busnum"), _text(device / "devnum")
        node = nodes / bus.zfill(3) / number.zfill(3)
        if not os.access(node, os.R_OK | os.W_OK):
            found.append(str(node))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
