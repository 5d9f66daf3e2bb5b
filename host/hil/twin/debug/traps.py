"""Stops the emulated core where FPB and DWT say. Nothing is hooked while no comparator is set.

What Unicorn 2.1.4 does, as tried: `emu_stop` in a code hook leaves PC on the instruction, which has
not run. In a memory hook it leaves PC on the accessing instruction, whose access is done when it hits
RAM; the instruction is then executed again, alone, and the core halts behind it. An access to a
peripheral cannot be repeated, so there the core halts at the end of the basic block. Within an IT
block `emu_stop` is lost: a breakpoint there halts on the IT instruction.
"""

from __future__ import annotations

from typing import Any

from unicorn import UC_HOOK_CODE, UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE

from hil.twin.counter import decode_block
from hil.twin.debug.control import DFSR_BKPT, DFSR_DWTTRAP, CoreControl
from hil.twin.debug.watchpoints import FUNCTION_PC, FUNCTION_READ, FUNCTION_WRITE, Watchpoint
from hil.twin.engine import Engine
from hil.twin.machine import Machine

IT_BLOCK_MAX_BYTES = 2 + 4 * 4
DUAL_ISSUE_TICKS = 50
"""No instruction takes less than half a cycle, so this much per instruction can be given back safely."""


class Traps:
    """The hooks of one twin, in step with its comparators."""

    def __init__(self, machine: Machine, engine: Engine, control: CoreControl, ticks: int) -> None:
        self._machine = machine
        self._engine = engine
        self._control = control
        self._ticks_per_instruction = ticks
        self._handles: list[int] = []
        self._set: tuple[frozenset[int], tuple[Watchpoint, ...]] = (frozenset(), ())
        self._reasons: dict[int, int] = {}
        self._aliases: set[int] = set()
        self._skip: int | None = None
        self._stopped: int = 0
        self.access: int | None = None
        """The comparator that an access hit, while the instruction is not finished."""

    def arrange(self, addresses: frozenset[int], watched: tuple[Watchpoint, ...]) -> None:
        """Hooks what the comparators ask for, when that changed."""
        pc_matches = frozenset(w.begin for w in watched if w.function == FUNCTION_PC)
        if (addresses, watched) != self._set:
            self._clear()
            self._set = addresses, watched
            self._reasons = dict.fromkeys(pc_matches, DFSR_DWTTRAP) | dict.fromkeys(addresses, DFSR_BKPT)
            self._aliases = {it for address in self._reasons for it in self._it_before(address)}
            self._aliases -= set(self._reasons)
            for address in (*self._reasons, *self._aliases):
                self._hook(UC_HOOK_CODE, self._on_code, address, address)
            for watchpoint in watched:
                self._watch(watchpoint)
            self._engine.uc.ctl_flush_tb()
        # The debugger steps over its own breakpoints, but it knows nothing of the IT instruction.
        pc = self._engine.pc
        self._skip = pc if pc in self._aliases else None

    def interrupted(self) -> bool:
        """Whether a hook ended the run of the engine; the core is then halted, or about to be."""
        if not self._stopped:
            return False
        cause, self._stopped = self._stopped, 0
        self.give_back()
        self._control.halt(cause)
        return True

    def clear(self) -> None:
        """Unhooks everything; the next `arrange` hooks it again."""
        self._clear()
        self._engine.uc.ctl_flush_tb()

    def _clear(self) -> None:
        for handle in self._handles:
            self._engine.uc.hook_del(handle)
        self._handles.clear()
        self._set = frozenset(), ()
        self._reasons, self._aliases = {}, set()

    def _hook(self, kind: int, callback: Any, begin: int, end: int) -> None:
        self._handles.append(self._engine.uc.hook_add(kind, callback, begin=begin, end=end))

    def _watch(self, watchpoint: Watchpoint) -> None:
        in_memory = self._machine.memory.region(watchpoint.begin) is not None

        def on_access(uc: Any, _: int, address: int, size: int, value: int, __: Any) -> None:
            if self.access is not None:
                return
            self.access = watchpoint.comparator
            if in_memory:
                self._stopped = DFSR_DWTTRAP
                uc.emu_stop()
            else:
                self._machine.attention()

        if watchpoint.function != FUNCTION_PC:
            read = 0 if watchpoint.function == FUNCTION_WRITE else UC_HOOK_MEM_READ
            write = 0 if watchpoint.function == FUNCTION_READ else UC_HOOK_MEM_WRITE
            self._hook(read | write, on_access, watchpoint.begin, watchpoint.end)

    def _on_code(self, uc: Any, address: int, _: int, __: Any) -> None:
        if address == self._skip:
            self._skip = None
            return
        reason = self._reasons.get(address)
        if reason is None:  # an IT instruction, on behalf of a breakpoint in its block
            held = [a for a in self._reasons if address in self._it_before(a)]
            reason = self._reasons[held[0]] if held else DFSR_BKPT
        elif self._within_it(address):
            return
        self._stopped = reason
        uc.emu_stop()

    def _it_before(self, address: int) -> list[int]:
        """Where an IT instruction may be whose block holds `address`; data can look like one too."""
        memory, found = self._machine.memory, []
        for it in range(address - 2, address - IT_BLOCK_MAX_BYTES, -2):
            if memory.holds(it, 2) and address in self._it_block(it):
                found.append(it)
        return found

    def _it_block(self, it: int) -> list[int]:
        """Addresses of the instructions that the IT instruction at `it` makes conditional."""
        memory = self._machine.memory
        first = int.from_bytes(memory.read(it, 2), "little")
        mask = first & 0xF
        if first & 0xFF00 != 0xBF00 or not mask:
            return []
        at, held = it + 2, []
        for _ in range(4 - (mask & -mask).bit_length() + 1):
            if not memory.holds(at, 2):
                break
            held.append(at)
            at += 4 if int.from_bytes(memory.read(at, 2), "little") >= 0xE800 else 2
        return held

    def _within_it(self, address: int) -> bool:
        """Whether the running block reaches `address` under an IT instruction."""
        block = self._machine.state.block_address
        return any(block <= it for it in self._it_before(address) if it in self._starts(block, address))

    def _starts(self, begin: int, end: int) -> list[int]:
        at, found, memory = begin, [], self._machine.memory
        while at < end and memory.holds(at, 2):
            found.append(at)
            at += 4 if int.from_bytes(memory.read(at, 2), "little") >= 0xE800 else 2
        return found

    def give_back(self) -> None:
        """The block was counted whole when it began: its rest will be counted when the core goes on."""
        state, memory = self._machine.state, self._machine.memory
        rest = state.block_address + state.block_size - self._engine.pc
        if 0 < rest <= state.block_size and memory.holds(self._engine.pc, rest):
            left = decode_block(memory.read(self._engine.pc, rest))[0]
            state.instructions -= left
            state.ticks -= left * self._ticks_per_instruction
