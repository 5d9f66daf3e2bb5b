"""The numbers of the cycle model, each with a physical meaning and a source.

Sources: J, jnk0le's measurements on an STM32H743; L, LLVM's ARMScheduleM7; G, GCC's cortex-m7.md;
R, RM0385; U, an estimate that nobody has published a measurement of. `docs/timing.md` tells how well
the whole does.
"""

from __future__ import annotations

from dataclasses import dataclass

TICKS = 100
"""Ticks in a core cycle, as in `clock.TICKS_PER_CYCLE`."""


@dataclass(frozen=True)
class Parameters:
    """All in core cycles unless the name says otherwise; a percentage is of one cycle or of all cases."""

    mispredict: int = 8
    """Refill after a branch that went the other way (J)."""
    mispredict_known: int = 6
    """The same when the flags were set `flags_ahead` cycles before the branch (J)."""
    flags_ahead: int = 3
    taken_branch_percent: int = 50
    """Hundredths of a cycle lost at the target of a taken branch: fetches are 64 bits wide and aligned,
    targets are not (J: about half a cycle a loop in code that mixes 16 and 32 bits)."""
    divide: int = 8
    """SDIV and UDIV: one to issue, seven to wait (L); data-dependent on silicon."""
    system: int = 4
    """MRS, MSR, CPS, DSB (U)."""
    barrier: int = 10
    """ISB flushes the pipeline like a wrong prediction (U)."""
    fp_divide: int = 16
    fp_root: int = 14
    """VDIV and VSQRT hold the pipeline (J)."""
    unaligned: int = 3
    """A load that crosses a word boundary, as older instruction (J)."""
    bank_conflict_percent: int = 50
    """Chance that two loads issued together meet in the same bank, where addresses are unknown (U)."""

    flash_bus: int = 4
    """AXI and flash interface around the flash's own wait states, to the critical word (U: 4 to 8)."""
    sram_fill: int = 6
    """Line fill from SRAM1/2 to the critical word: AXI, AHB bridge, 32-bit beats (U: 6 to 10)."""
    write_back: int = 4
    """A dirty line leaves through a buffer; what of its eight beats the fill waits for (U)."""
    store_miss: int = 4
    """A store that misses: the store buffer hides most of the fill (U)."""
    uncached_flash: int = 4
    """A 64-bit AXI beat from the open flash line, caches off (U)."""
    uncached_sram: int = 6
    """One access to SRAM1/2, D-cache off (U)."""
    peripheral_read: int = 8
    """AHB-Lite peripheral port or AXI, bridge, and back (U)."""
    peripheral_write: int = 2
    """Device stores are buffered (U)."""
    private_read: int = 2
    """SysTick, NVIC, DWT: private peripheral bus (U)."""


DEFAULT = Parameters()
