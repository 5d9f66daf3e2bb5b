"""The cycle model of one twin: prices blocks, follows what firmware does to caches and wait states."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hil.errors import UsageError
from hil.twin.memory import Memory
from hil.twin.state import CoreState
from hil.twin.timing.addresses import Access
from hil.twin.timing.blocks import Block, Edge, block_costs
from hil.twin.timing.dynamic import Dynamic
from hil.twin.timing.parameters import DEFAULT, TICKS, Parameters
from hil.twin.timing.state import (
    EDGE_BACKWARD,
    EDGE_ENDS_CALLING,
    EDGE_ENDS_INDIRECT,
    EDGE_TAKEN,
    EVENT_COUNTERS,
    RANDOM_SEED,
    TICK_COUNTERS,
    AccessRecord,
    EdgeRecord,
    Feature,
    TimingState,
)

SCB_CCR = 0xE000_ED14
SCB_ICIALLU = 0xE000_EF50
SCB_CCR_DC = 1 << 16
SCB_CCR_IC = 1 << 17
FLASH_ACR = 0x4002_3C00
FLASH_ACR_LATENCY = 0xF
FLASH_ACR_PRFTEN = 1 << 8
FLASH_ACR_ARTEN = 1 << 9
LONGEST_ACCESS = 0xFF

Read = Callable[[int, int], int]
Write = Callable[[int, int, int], None]


class Timing(StrEnum):
    """How the twin keeps time, from fast and coarse to slow and fine."""

    INSTRUCTIONS = "instructions"
    """A constant number of cycles each."""
    ISSUE = "issue"
    """The pipeline alone: no mispredictions, no caches."""
    PIPELINE = "pipeline"
    """The pipeline, branch prediction, instruction fetch."""
    CYCLES = "cycles"
    """All of it; data addresses by formula."""
    EXACT = "exact"
    """All of it; data addresses from memory hooks."""


FEATURES = {
    Timing.ISSUE: Feature(0),
    Timing.PIPELINE: Feature.BRANCH | Feature.FETCH,
    Timing.CYCLES: Feature.BRANCH | Feature.FETCH | Feature.DATA,
    Timing.EXACT: Feature.BRANCH | Feature.FETCH | Feature.EXACT,
}


def timing_of(name: str) -> Timing:
    """The timing of that name. Raises UsageError."""
    try:
        return Timing(name)
    except ValueError:
        raise UsageError(f"{name!r} is no timing of the twin", f"one of {', '.join(Timing)}") from None


@dataclass(frozen=True)
class Breakdown:
    """Where the cycles went, and the events behind them: a CPI stack."""

    cycles: dict[str, float]
    """issue, branch, fetch, data, bank."""
    events: dict[str, int]


class TimingModel:
    """The model of one twin. `state` is shared with the native hook."""

    def __init__(
        self, core: CoreState, memory: Memory, timing: Timing, parameters: Parameters = DEFAULT
    ) -> None:
        self.parameters = parameters
        self.state = TimingState(random=RANDOM_SEED, features=FEATURES[timing])
        self.exact = timing is Timing.EXACT
        self.blocks = block_costs(parameters)
        self.dynamic = Dynamic(core, self.state, memory)
        self._memory = memory
        self.follow(0, 0)

    def follow(self, scb_ccr: int, flash_acr: int) -> None:
        """Takes over what firmware wrote: cache enables, wait states, accelerator."""
        p, t = self.parameters, self.state
        i_cache, d_cache = int(bool(scb_ccr & SCB_CCR_IC)), int(bool(scb_ccr & SCB_CCR_DC))
        if i_cache != t.i_cache:
            t.i_lines[:] = [0] * len(t.i_lines)
        if d_cache != t.d_cache:
            t.d_lines[:] = [0] * len(t.d_lines)
        t.i_cache, t.d_cache = i_cache, d_cache
        t.art = int(bool(flash_acr & FLASH_ACR_ARTEN))
        t.prefetch = int(bool(flash_acr & FLASH_ACR_PRFTEN))
        waits = flash_acr & FLASH_ACR_LATENCY
        t.flash_fill_ticks = (waits + 1 + p.flash_bus) * TICKS
        t.art_miss_ticks = waits * TICKS
        t.flash_beat_ticks = p.uncached_flash * TICKS
        t.sram_fill_ticks, t.sram_beat_ticks = p.sram_fill * TICKS, p.uncached_sram * TICKS
        t.write_back_ticks, t.store_miss_ticks = p.write_back * TICKS, p.store_miss * TICKS
        t.unaligned_ticks, t.bank_ticks_each = p.unaligned * TICKS, TICKS
        t.peripheral_read_ticks = p.peripheral_read * TICKS
        t.peripheral_write_ticks = p.peripheral_write * TICKS
        t.private_read_ticks = p.private_read * TICKS

    def watching(self, read: Read, write: Write) -> Write:
        """`write`, followed by a look at the registers that change what things cost."""

        def write_and_follow(address: int, size: int, value: int) -> None:
            write(address, size, value)
            if address == SCB_ICIALLU:
                self.invalidate_instructions()
            elif address & ~3 in (SCB_CCR, FLASH_ACR):
                self.follow(read(SCB_CCR, 4), read(FLASH_ACR, 4))

        return write_and_follow

    def invalidate_instructions(self) -> None:
        """ICIALLU: the instruction cache is empty."""
        self.state.i_lines[:] = [0] * len(self.state.i_lines)

    def breakdown(self) -> Breakdown:
        """The CPI stack since power-on."""
        cycles = {name.removesuffix("_ticks"): getattr(self.state, name) / TICKS for name in TICK_COUNTERS}
        return Breakdown(cycles, {name: getattr(self.state, name) for name in EVENT_COUNTERS})

    def edge(self, address: int, size: int) -> tuple[Block, Edge] | None:
        """The block at `address` after the one that ran last; None outside memory."""
        block = self._block(address, size)
        if block is None:
            return None
        previous = self._block(self.state.previous, self.state.previous_size)
        return block, self.blocks.edge(previous, block)

    def _block(self, address: int, size: int) -> Block | None:
        region = self._memory.region(address)
        if not size or region is None or address + size > region.end:
            return None
        offset = address - region.base
        return self.blocks.block(address, bytes(region.view[offset : offset + size]))

    def fill(self, record: EdgeRecord, pool: ctypes.Array[AccessRecord]) -> None:
        """Prices an edge of the native hook's table."""
        found = self.edge(record.address, record.size)
        if found is None:
            return
        block, edge = found
        record.flags |= (EDGE_BACKWARD if edge.backward else 0) | (EDGE_TAKEN if edge.taken else 0)
        record.flags |= (EDGE_ENDS_CALLING if block.calls else 0) | (EDGE_ENDS_INDIRECT if block.jumps else 0)
        record.flow, record.ticks, record.meetings_ticks = edge.kind, edge.ticks, edge.meetings_ticks
        stalls = edge.stalls
        record.mac_slots, record.load_slots = stalls.mac_slots, stalls.load_slots
        record.other_slots = stalls.other_slots
        record.branch_ticks, record.bank_ticks = stalls.branch_ticks, stalls.bank_ticks
        record.penalty_ticks, record.unresolved = edge.penalty_ticks, block.unresolved
        record.first_access, record.accesses = self.state.pool_used, len(edge.accesses)
        registers = 0
        for access in edge.accesses:
            registers |= _fill_access(pool[self.state.pool_used], access)
            self.state.pool_used += 1
        record.registers = registers


def _fill_access(record: AccessRecord, access: Access) -> int:
    """Copies an access; returns the registers that its formula reads, as bits."""
    formula = access.address
    record.source, record.index, record.shift = formula.source, formula.index, formula.shift
    offset = formula.offset & 0xFFFF_FFFF
    record.offset = offset - (1 << 32) if offset >> 31 else offset
    record.bytes, record.flags = min(access.bytes, LONGEST_ACCESS), access.flags
    record.temporary = access.temporary
    return sum(1 << number for number in {formula.source, formula.index} if number < 16)
