"""Where a figure comes from. A number without its origin cannot be compared."""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """The origin every reported figure carries."""

    MEASURED_DWT = "measured_dwt"
    """Cycles counted by the DWT of a physical core."""

    INSTRUMENT = "instrument"
    """A power analyser or another external instrument."""

    TWIN_CYCLES = "twin_cycles"
    """The twin's Cortex-M7 timing model; docs/timing.md has its error against published figures."""

    TWIN_INSTRUCTIONS = "twin_instructions"
    """Instructions the twin executed, times a constant number of cycles."""

    RENODE_INSTRUCTIONS = "renode_instructions"
    """Instructions Renode executed, times a constant."""

    MEASURED_HOST = "measured_host"
    """Wall-clock time of a process on the host, such as the server half."""

    MODELLED = "modelled"
    """Computed from a documented model, such as a radio's bandwidth or a datasheet's current."""
