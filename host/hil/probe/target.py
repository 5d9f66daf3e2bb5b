"""The STM32F746 as pyOCD sees it, for machines on which no CMSIS pack describes it."""

from __future__ import annotations

from typing import Any

from pyocd.core.memory_map import FlashRegion, MemoryMap, RamRegion
from pyocd.core.session import Session
from pyocd.coresight.coresight_target import CoreSightTarget
from pyocd.target import TARGET
from pyocd.target.pack.pack_target import ManagedPacks, PackTargets

from hil.probe.flash_algorithm import flash_algorithm, sectors

PARTS = ("stm32f746", "stm32f746zgtx", "stm32f746nghx")

DBGMCU_CR = 0xE004_2004
DBGMCU_CR_DBG_SLEEP = 1 << 0
DBGMCU_CR_DBG_STOP = 1 << 1
DBGMCU_CR_DBG_STANDBY = 1 << 2
DBGMCU_APB1_FZ = 0xE004_2008
DBGMCU_APB1_FZ_DBG_WWDG_STOP = 1 << 11
DBGMCU_APB1_FZ_DBG_IWDG_STOP = 1 << 12


def memory_map() -> MemoryMap:
    """RM0385 2.2.2: flash in runs of equal sectors, RAM in the order of its addresses."""
    algorithm = flash_algorithm()
    regions: list[Any] = []
    for start, length, sector in _runs():
        regions.append(
            FlashRegion(
                name=f"flash_{start:08x}",
                start=start,
                length=length,
                blocksize=sector,
                page_size=algorithm["page_size"],
                erased_byte_value=0xFF,
                is_boot_memory=start == 0x0800_0000,
                algo=algorithm,
            )
        )
    for name, start, length in (
        ("dtcm", 0x2000_0000, 0x1_0000),
        ("sram1", 0x2001_0000, 0x3_C000),
        ("sram2", 0x2004_C000, 0x4000),
        ("itcm", 0x0000_0000, 0x4000),
    ):
        regions.append(RamRegion(name=name, start=start, length=length, is_default=name == "dtcm"))
    return MemoryMap(*regions)


def _runs() -> list[tuple[int, int, int]]:
    """Start, length and sector size of each run of equal sectors."""
    runs: list[tuple[int, int, int]] = []
    for start, size in sectors():
        if runs and runs[-1][2] == size:
            runs[-1] = runs[-1][0], runs[-1][1] + size, size
        else:
            runs.append((start, size, size))
    return runs


class Stm32F746(CoreSightTarget):  # type: ignore[misc]
    """An STM32F746 with 1 MB of flash."""

    VENDOR = "STMicroelectronics"
    PART_FAMILIES = ("STM32F7 Series",)

    def __new__(cls, session: Session) -> Any:
        """An instance of what a pack describes, when there is one."""
        packed = _from_pack(session)
        return super().__new__(cls) if packed is None else packed(session)

    def __init__(self, session: Session) -> None:
        super().__init__(session, memory_map())

    def post_connect_hook(self) -> None:
        """Keeps the debug clocks on in low-power modes, where the core would be lost to the debugger,
        and freezes the watchdogs while it is halted, where they would reset it."""
        low_power = DBGMCU_CR_DBG_SLEEP | DBGMCU_CR_DBG_STOP | DBGMCU_CR_DBG_STANDBY
        self.write32(DBGMCU_CR, self.read32(DBGMCU_CR) | low_power)
        watchdogs = DBGMCU_APB1_FZ_DBG_WWDG_STOP | DBGMCU_APB1_FZ_DBG_IWDG_STOP
        self.write32(DBGMCU_APB1_FZ, self.read32(DBGMCU_APB1_FZ) | watchdogs)


def register() -> None:
    """Makes the parts known to pyOCD."""
    for part in PARTS:
        TARGET.setdefault(part, Stm32F746)


def _from_pack(session: Session) -> type[CoreSightTarget] | None:
    """The description in the CMSIS pack that the user names or has installed: it wins over ours."""
    part = session.options.get("target_override")
    ours = TARGET.pop(part, None)
    try:
        if session.options.get("pack") is not None:
            PackTargets.populate_targets_from_pack(session.options.get("pack"))
        if part not in TARGET:
            ManagedPacks.populate_target(part)
        found: type[CoreSightTarget] | None = TARGET.get(part)
        return found
    finally:
        if ours is not None:
            TARGET.setdefault(part, ours)
