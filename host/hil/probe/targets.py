"""What pyOCD is told of the chip: from a CMSIS pack where there is one, else our own description.

`target.py` carries the choice out inside pyOCD; here it is checked beforehand, and named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from hil.errors import UsageError

PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {"nucleo_f746zg": "stm32f746zgtx", "disco_f746g": "stm32f746nghx"}
)
"""The part on each board, as ST's device family pack (Keil.STM32F7xx_DFP) calls it, in lower case."""

OWN: Final = "own description"


@dataclass(frozen=True)
class ChosenTarget:
    """A target type of pyOCD's, and what has to be known for it."""

    name: str
    origin: str
    """For the provenance: the pack, or OWN."""
    pack: Path | None = None
    """A pack file that pyOCD has to read first."""


def choose_target(
    board: str,
    pack: Path | None,
    installed: Callable[[], Iterable[Any]] | None = None,
    own: Callable[[], None] | None = None,
) -> ChosenTarget:
    """The target for `board`: from `pack`, from an installed pack, or our own.

    `installed` gives pyOCD's pack devices, `own` makes our targets known to pyOCD. Raises UsageError
    for a pack that is none or lacks the part.
    """
    part = PARTS[board]
    if pack is not None:
        return ChosenTarget(part, _in_file(pack, part), pack)
    for device in (installed or _installed)():
        if str(device.part_number).lower() == part:
            return ChosenTarget(part, "installed CMSIS pack")
    (own or _register_own)()
    return ChosenTarget(part, OWN)


def _in_file(pack: Path, part: str) -> str:
    """Names the pack. Raises UsageError unless it describes `part`."""
    from pyocd.target.pack.cmsis_pack import CmsisPack

    try:
        parts = {str(device.part_number).lower() for device in CmsisPack(str(pack)).devices}
    except Exception as error:
        raise UsageError(f"{pack} is no CMSIS pack: {error}", "get Keil.STM32F7xx_DFP from arm.com") from None
    if part not in parts:
        raise UsageError(
            f"{pack.name} does not describe {part.upper()}", "the STM32F7 family's pack is Keil.STM32F7xx_DFP"
        )
    return f"CMSIS pack {pack.name}"


def _installed() -> Iterable[Any]:
    """Devices of the packs that cmsis-pack-manager has on this machine; needs no network."""
    from pyocd.target.pack.pack_target import ManagedPacks

    return list(ManagedPacks.get_installed_targets())


def _register_own() -> None:
    from hil.probe import target

    target.register()
