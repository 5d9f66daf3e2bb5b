"""How long the flash is busy: typical times of the datasheet (DS10916, flash memory programming).

The columns of its tables are PSIZE: x8, x16, x32, and x64, which needs an external voltage at VPP.
"""

from __future__ import annotations

from hil.twin.clock import SECOND_FS
from hil.twin.memory import KIB

_MICROSECOND_FS = SECOND_FS // 1_000_000
_MILLISECOND_FS = SECOND_FS // 1_000

PROGRAM_FS = 16 * _MICROSECOND_FS
"""One programming operation, whatever its width (at most 100 µs)."""

_ERASE_MS = {
    32 * KIB: (400, 250, 200, 180),
    128 * KIB: (1100, 800, 500, 450),
    256 * KIB: (2100, 1500, 1000, 900),
}
_MASS_ERASE_MS = (8000, 5600, 4000, 3500)
OPTIONS_FS = _ERASE_MS[32 * KIB][2] * _MILLISECOND_FS
"""Option bytes are erased and programmed; the datasheet gives no time, a small sector's is taken."""


def erase_fs(sector_bytes: int, psize: int) -> int:
    """Time to erase a sector of that size at FLASH_CR_PSIZE `psize`."""
    return _ERASE_MS[sector_bytes][psize] * _MILLISECOND_FS


def mass_erase_fs(psize: int) -> int:
    """Time to erase all sectors."""
    return _MASS_ERASE_MS[psize] * _MILLISECOND_FS
