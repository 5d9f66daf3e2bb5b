"""What `hil doctor` says about physical boards."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os

from hil.doctor import Check, Status
from hil.errors import BoardError
from hil.probe.usb import blocked_stlinks

_UNWANTED = "only physical boards need"


def pyocd(name: str) -> Check:
    """Whether pyOCD can be imported."""
    if importlib.util.find_spec("pyocd") is None:
        return Check(name, Status.OPTIONAL, "not installed", f"{_UNWANTED} it: pip install pyocd")
    return Check(name, Status.OK, importlib.metadata.version("pyocd"))


def packs(name: str) -> Check:
    """Where pyOCD learns of the chip from."""
    from hil.probe.targets import OWN, PARTS, choose_target

    origins = {board: choose_target(board, None).origin for board in PARTS}
    if OWN in origins.values():
        return Check(
            name, Status.OPTIONAL, "none installed for the STM32F746; hil's own description serves",
            "for ST's: pyocd pack install stm32f746zg",
        )  # fmt: skip
    return Check(name, Status.OK, "installed for the STM32F746")


def probes(name: str) -> Check:
    """The probes that can be opened, and those that the system keeps from this user."""
    from hil.probe.listing import listed
    from hil.probe.select import UDEV_HINT

    if blocked := blocked_stlinks():
        return Check(name, Status.OPTIONAL, f"no permission to open {', '.join(blocked)}", UDEV_HINT)
    try:
        found = listed()
    except BoardError as error:
        return Check(name, Status.OPTIONAL, error.message, f"{_UNWANTED} one; {error.hint}")
    if not found:
        return Check(name, Status.OPTIONAL, "none connected", f"{_UNWANTED} one")
    shown = (f"{probe.unique_id} ({probe.product}) with {probe.serial_port or 'no port'}" for probe in found)
    return Check(name, Status.OK, ", ".join(shown))


def serial_ports(name: str) -> Check:
    """The ports that pyserial finds on USB, and whether this user may open them."""
    from hil.probe.serial_port import ports

    found = [port.device for port in ports() if port.usb_serial is not None]
    if not found:
        return Check(name, Status.OPTIONAL, "none on USB", f"{_UNWANTED} one")
    if refused := [device for device in found if not os.access(device, os.R_OK | os.W_OK)]:
        hint = "join the ports' group and log in again: sudo usermod -aG dialout $USER"
        return Check(name, Status.OPTIONAL, f"no permission to open {', '.join(refused)}", hint)
    return Check(name, Status.OK, ", ".join(found))
