"""The data accesses of a block as formulas over the registers at its entry.

A memory hook would tell every address, at a tenth of the speed: it drives Unicorn off its fast path.
Nearly all addresses of compiled code are known when a block begins: an entry register plus a constant,
a sum of two of them, a literal, or one of these on a word that the block itself loads. This file finds
the formulas once per block; the block hook evaluates them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from capstone import arm

from hil.twin.timing.classes import LOADS, MULTIPLES, MULTIPLES_STORE, STORES, SUBWORD_LOADS
from hil.twin.timing.decode import core_register, registers_of
from hil.twin.timing.operation import FP_FIRST, PC, SP

NOTHING = 0xFF
TEMPORARIES = 16
"""Words loaded in a block that later addresses may use: sources 16 to 31."""

WRITE, KEEP, MEETS_PREVIOUS = 1, 2, 4
"""Flags of an access: a store; a word to keep as a temporary; issued together with the one before."""

_BYTES = {
    arm.ARM_INS_LDRB: 1,
    arm.ARM_INS_LDRSB: 1,
    arm.ARM_INS_STRB: 1,
    arm.ARM_INS_STRH: 2,
    arm.ARM_INS_LDRD: 8,
    arm.ARM_INS_STRD: 8,
}


@dataclass(frozen=True, slots=True)
class Value:
    """source + (index << shift) + offset; sources 0 to 15 are registers at entry, NOTHING is zero."""

    source: int = NOTHING
    index: int = NOTHING
    shift: int = 0
    offset: int = 0

    def plus(self, offset: int) -> Value:
        return Value(self.source, self.index, self.shift, self.offset + offset)

    def plus_value(self, other: Value, shift: int = 0) -> Value | None:
        """The sum, when two sources can hold it."""
        if other.source == NOTHING and other.index == NOTHING:
            return self.plus(other.offset << shift)
        if other.index != NOTHING:
            room = other.source == NOTHING and self.index == NOTHING and not shift
            return Value(self.source, other.index, other.shift, self.offset + other.offset) if room else None
        if self.source == NOTHING and self.index == NOTHING and not shift:
            return other.plus(self.offset)
        if self.index != NOTHING:
            return None
        return Value(self.source, other.source, shift, self.offset + (other.offset << shift))


@dataclass(frozen=True, slots=True)
class Access:
    """One load or store of a block; `temporary` is where a kept word goes."""

    address: Value
    bytes: int
    flags: int
    temporary: int = 0


class AddressFinder:
    """Walks a block once. `accesses` grows; what has no formula is counted in `unresolved`."""

    def __init__(self) -> None:
        self._registers: list[Value | None] = [Value(source=i) for i in range(16)]
        self.accesses: list[Access] = []
        self.unresolved = 0
        self._temporaries = 0

    def step(self, instruction: Any, predicated: bool) -> int | None:
        """Follows one instruction; returns the index of its access, if it has one with a formula."""
        before = len(self.accesses)
        identity = instruction.id
        if identity in LOADS or identity in STORES:
            self._load_or_store(instruction)
        elif identity in MULTIPLES:
            self._multiple(instruction)
        elif instruction.id:
            self._compute(instruction, predicated)
        return before if len(self.accesses) > before else None

    def _load_or_store(self, instruction: Any) -> None:
        operands, identity = instruction.operands, instruction.id
        memory = next(operand for operand in operands if operand.type == arm.ARM_OP_MEM)
        base = core_register(memory.mem.base)
        start = Value(offset=(instruction.address + 4) & ~3) if base == PC else self._registers[base]
        moved = start
        if instruction.post_index:
            step = operands[-1].imm if operands[-1].type == arm.ARM_OP_IMM else 0
            moved = start and start.plus(-step if operands[-1].subtracted else step)
        else:
            start = moved = self._indexed(start, memory)
        data = [r for operand in operands for r in registers_of(operand)]
        store = identity in STORES
        size = _BYTES.get(identity, 2 if identity in SUBWORD_LOADS else 4 * max(1, len(data)))
        kept = self._access(start, size if size != 4 * len(data) else 4 * len(data), store)
        if not store:
            for register in data:
                if register < FP_FIRST:
                    self._registers[register] = kept if identity == arm.ARM_INS_LDR else None
        if instruction.writeback:
            self._registers[base] = moved

    def _indexed(self, start: Value | None, memory: Any) -> Value | None:
        if start is None:
            return None
        if not memory.mem.index:
            return start.plus(memory.mem.disp)
        index = self._registers[core_register(memory.mem.index)]
        return index and start.plus_value(index, memory.shift.value or memory.mem.lshift)

    def _multiple(self, instruction: Any) -> None:
        operands, mnemonic = instruction.operands, instruction.mnemonic
        on_stack = "push" in mnemonic or "pop" in mnemonic
        base = SP if on_stack else registers_of(operands[0])[0]
        listed = [r for operand in operands[0 if on_stack else 1 :] for r in registers_of(operand)]
        size = 4 * len(listed)
        down = "push" in mnemonic or "db" in mnemonic
        store = instruction.id in MULTIPLES_STORE
        start = self._registers[base]
        first = start and start.plus(-size if down else 0)
        self._access(first, size, store)
        if not store:
            for register in listed:
                if register < FP_FIRST:
                    self._registers[register] = None
        if on_stack or instruction.writeback:
            self._registers[base] = start and start.plus(-size if down else size)

    def _access(self, address: Value | None, size: int, store: bool) -> Value | None:
        if address is None:
            self.unresolved += 1
            return None
        if store or size != 4 or self._temporaries == TEMPORARIES:
            self.accesses.append(Access(address, size, WRITE if store else 0))
            return None
        temporary = self._temporaries
        self._temporaries += 1
        self.accesses.append(Access(address, size, KEEP, temporary))
        return Value(source=16 + temporary)

    def _compute(self, instruction: Any, predicated: bool) -> None:
        operands = instruction.operands
        if not operands or instruction.id in (arm.ARM_INS_CMP, arm.ARM_INS_CMN, arm.ARM_INS_TST):
            return
        written = [r for r in registers_of(operands[0]) if r < PC]
        if not written:
            return
        value = None if predicated else self._value(instruction)
        self._registers[written[0]] = value
        if len(operands) == 4:  # long products write two; others only lose precision here
            for register in registers_of(operands[1]):
                if register < PC and register != written[0] and instruction.mnemonic[1:5] in ("mull", "mlal"):
                    self._registers[register] = None

    def _value(self, instruction: Any) -> Value | None:
        operands, identity = instruction.operands, instruction.id
        sources = operands[1:] if len(operands) > 2 else operands
        if identity in (arm.ARM_INS_MOV, arm.ARM_INS_MOVW):
            return self._of(operands[1])
        if identity == arm.ARM_INS_MOVT:
            low = self._of(operands[0])
            constant = low is not None and low.source == NOTHING and low.index == NOTHING
            return Value(offset=(low.offset & 0xFFFF) | operands[1].imm << 16) if low and constant else None
        first, second = self._of(sources[0]), self._of(sources[-1])
        if first is None or second is None or len(sources) < 2:
            return None
        if identity in (arm.ARM_INS_ADD, arm.ARM_INS_ADDW):
            shift = sources[-1].shift
            if shift.type not in (0, arm.ARM_SFT_LSL):
                return None
            if registers_of(sources[0]) == (PC,):
                first = Value(offset=(instruction.address + 4) & ~3)
            return first.plus_value(second, shift.value if shift.type else 0)
        if identity in (arm.ARM_INS_SUB, arm.ARM_INS_SUBW) and sources[-1].type == arm.ARM_OP_IMM:
            if registers_of(sources[0]) == (PC,):
                first = Value(offset=(instruction.address + 4) & ~3)
            return first.plus(-second.offset)
        shifted = identity == arm.ARM_INS_LSL and sources[-1].type == arm.ARM_OP_IMM
        return Value().plus_value(first, second.offset) if shifted else None

    def _of(self, operand: Any) -> Value | None:
        if operand.type == arm.ARM_OP_IMM:
            return Value(offset=operand.imm)
        registers = registers_of(operand)
        return self._registers[registers[0]] if registers and registers[0] < 16 else None
