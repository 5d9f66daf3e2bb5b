"""Thumb-2 machine code to the pipeline's operations. Capstone disassembles; the classes are here.

Capstone 5 reports some accesses wrongly (PKHBT's and SSAT's source, the long sums of SMLAL, lists of
VLDM), so sources and results follow from the operand's place and the instruction's class.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import capstone
from capstone import arm

from hil.twin.timing.classes import (
    BITS,
    BITS_EARLY,
    BITS_WITH_SHIFTER,
    BRANCHES,
    COMPARES,
    DIVIDES,
    EARLY_ALUS,
    FP_COMPUTES,
    FP_MACS,
    LOADS,
    LONG_MACS,
    MACS,
    MULTIPLES,
    MULTIPLES_STORE,
    SATURATES,
    SHIFTS,
    STORES,
    SUBWORD_LOADS,
    SYSTEMS,
    WITH_CARRY,
)
from hil.twin.timing.operation import (
    FLAGS,
    FP_FIRST,
    FP_FLAGS,
    LR,
    PC,
    SP,
    Flow,
    Kind,
    Operation,
    Port,
)
from hil.twin.timing.parameters import Parameters

Needs = tuple[tuple[Port, int], ...]

_CORE = {getattr(arm, f"ARM_REG_R{i}"): i for i in range(13)} | {
    arm.ARM_REG_SP: SP,
    arm.ARM_REG_LR: LR,
    arm.ARM_REG_PC: PC,
}
_REGISTERS: dict[int, tuple[int, ...]] = {
    **{register: (index,) for register, index in _CORE.items()},
    **{getattr(arm, f"ARM_REG_S{i}"): (FP_FIRST + i,) for i in range(32)},
    **{getattr(arm, f"ARM_REG_D{i}"): (FP_FIRST + 2 * i, FP_FIRST + 2 * i + 1) for i in range(16)},
}


def core_register(register: int) -> int:
    """Capstone's number of a core register as 0 to 15."""
    return _CORE[register]


def registers_of(operand: Any) -> tuple[int, ...]:
    """The pipeline's registers of a register operand, () for another operand."""
    return _REGISTERS.get(operand.reg, ()) if operand.type == arm.ARM_OP_REG else ()


def disassembler() -> Any:
    """A Thumb disassembler that steps over what it does not know."""
    engine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    engine.detail = True
    engine.skipdata = True
    return engine


class Decoder:
    """Turns instructions into operations, with the occupancies of `parameters`."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    def operation(self, instruction: Any, predicated: bool) -> Operation:
        """One instruction; `predicated` inside an IT block, where it waits for the flags."""
        if not instruction.id:
            return Operation(Kind.SYSTEM)
        made = self._classified(instruction)
        conditional = predicated and made.kind is not Kind.BRANCH
        if conditional or instruction.id in WITH_CARRY:
            made = replace(made, needs=(*made.needs, (Port.LATE, FLAGS)))
        if instruction.update_flags and FLAGS not in made.results and made.kind is not Kind.BRANCH:
            made = replace(made, results=(*made.results, FLAGS))
        if PC in made.results and made.kind is not Kind.BRANCH:
            made = replace(made, flow=Flow.INDIRECT)
        return made

    def _classified(self, instruction: Any) -> Operation:
        identity = instruction.id
        if identity in BRANCHES or identity in (arm.ARM_INS_TBB, arm.ARM_INS_TBH):
            return _branch(instruction)
        if identity in LOADS or identity in STORES:
            return _load_or_store(instruction)
        if identity in MULTIPLES:
            return _multiple(instruction)
        if identity in MACS or identity in LONG_MACS:
            return _mac(instruction)
        if identity in FP_COMPUTES or identity in FP_MACS or instruction.mnemonic.startswith("v"):
            return self._fp(instruction)
        if identity in DIVIDES:
            made = _arithmetic(instruction, Kind.DIVIDE)
            return replace(made, cycles=self._parameters.divide, alone=True)
        if identity in SYSTEMS:
            barrier = identity == arm.ARM_INS_ISB
            cycles = self._parameters.barrier if barrier else self._parameters.system
            return replace(_arithmetic(instruction, Kind.SYSTEM), cycles=cycles, alone=True)
        return _arithmetic(instruction, _kind(instruction))

    def _fp(self, instruction: Any) -> Operation:
        identity, operands = instruction.id, instruction.operands
        if identity in (arm.ARM_INS_VMRS, arm.ARM_INS_FMSTAT):
            return Operation(Kind.FP_TO_CORE, ((Port.LATE, FP_FLAGS),), (FLAGS,), alone=True)
        first = registers_of(operands[0]) if operands else ()
        rest = [register for operand in operands[1:] for register in registers_of(operand)]
        if identity in (arm.ARM_INS_VCMP, arm.ARM_INS_VCMPE):
            return Operation(Kind.FP, tuple((Port.LATE, r) for r in (*first, *rest)), (FP_FLAGS,))
        if identity in FP_MACS:
            needs = [*((Port.ACCUMULATE, r) for r in first), *((Port.MULTIPLY, r) for r in rest)]
            return Operation(Kind.FP_MAC, tuple(needs), first)
        if identity in (arm.ARM_INS_VDIV, arm.ARM_INS_VSQRT):
            root = identity == arm.ARM_INS_VSQRT
            cycles = self._parameters.fp_root if root else self._parameters.fp_divide
            return Operation(Kind.FP_DIVIDE, _late(rest), first, cycles=cycles, alone=True)
        if identity == arm.ARM_INS_VMOV:
            return _fp_move(first, tuple(rest), len(operands))
        return Operation(Kind.FP, _late(rest), first)


def _late(registers: list[int] | tuple[int, ...]) -> Needs:
    return tuple((Port.LATE, register) for register in registers)


def _fp_move(first: tuple[int, ...], rest: tuple[int, ...], operands: int) -> Operation:
    kind = Kind.FP_MOVE
    if first and first[0] < FP_FIRST:
        kind = Kind.FP_TO_CORE
    elif any(register < FP_FIRST for register in rest):
        kind = Kind.FP_FROM_CORE
    if operands > 2:  # two registers at once
        to_core = kind is Kind.FP_TO_CORE
        given, taken = ((*first, *rest[:1]), rest[1:]) if to_core else (first, rest)
        return Operation(kind, _late(taken), given, alone=True)
    return Operation(kind, _late(rest), first)


def _kind(instruction: Any) -> Kind:
    identity = instruction.id
    for kind, members in (
        (Kind.BIT_EARLY, BITS_EARLY),
        (Kind.BIT, BITS),
        (Kind.SATURATE, SATURATES),
        (Kind.SHIFT, SHIFTS),
    ):
        if identity in members:
            return kind
    plain = identity in EARLY_ALUS and not _has_shifter(instruction)
    return Kind.EARLY_ALU if plain else Kind.ALU


def _has_shifter(instruction: Any) -> bool:
    """An operand that goes through the early shifter: a shifted register or a shifted constant (J)."""
    operands = instruction.operands
    if any(operand.shift.type for operand in operands):
        return True
    wide = instruction.size == 4 and operands and operands[-1].type == arm.ARM_OP_IMM
    if not wide or instruction.id in SHIFTS:
        return False
    first, second = (int.from_bytes(instruction.bytes[at : at + 2], "little") for at in (0, 2))
    if first & 0xFA00 != 0xF000:  # not a modified immediate (ARMv7-M ARM A5.3.1)
        return False
    rotation = (first >> 10 & 1) << 4 | (second >> 12 & 7) << 1 | second >> 7 & 1
    return rotation >= 8  # below: a plain byte or one of the repeating patterns


def _arithmetic(instruction: Any, kind: Kind) -> Operation:
    identity, operands = instruction.id, instruction.operands
    shifter = (kind in (Kind.ALU, Kind.EARLY_ALU) and _has_shifter(instruction)) or (
        identity in BITS_WITH_SHIFTER
    )
    needs: list[tuple[Port, int]] = []
    compare = identity in COMPARES
    for index, operand in enumerate(operands):
        if index == 0 and not compare and not operand.access & capstone.CS_AC_READ:
            continue
        early = kind is Kind.BIT_EARLY or operand.shift.type != 0
        early = early or (identity in BITS_WITH_SHIFTER and index == len(operands) - 1)
        needs += ((Port.EARLY if early else Port.LATE, r) for r in registers_of(operand))
    results = () if compare or not operands else registers_of(operands[0])
    return Operation(kind, tuple(needs), results, shifter=shifter)


def _mac(instruction: Any) -> Operation:
    operands = [registers_of(operand) for operand in instruction.operands]
    identity = instruction.id
    if identity in LONG_MACS:
        sums = () if identity in (arm.ARM_INS_UMULL, arm.ARM_INS_SMULL) else (*operands[0], *operands[1])
        results, factors = (*operands[0], *operands[1]), operands[2:4]
    else:
        results, factors = operands[0], operands[1:3] if len(operands) > 2 else operands
        sums = operands[3] if len(operands) > 3 else ()
    needs = [(Port.MULTIPLY, r) for registers in factors for r in registers]
    needs += [(Port.ACCUMULATE, r) for r in sums]
    return Operation(Kind.MAC, tuple(needs), results)


def _load_or_store(instruction: Any) -> Operation:
    operands, identity = instruction.operands, instruction.id
    memory = next(operand for operand in operands if operand.type == arm.ARM_OP_MEM)
    base = core_register(memory.mem.base)
    needs = [(Port.EARLY, base)]
    if memory.mem.index:
        needs.append((Port.EARLY, core_register(memory.mem.index)))
    data = [r for operand in operands for r in registers_of(operand)]
    written_back = base if instruction.writeback else None
    pair = identity in (arm.ARM_INS_LDRD, arm.ARM_INS_STRD)
    double = identity in (arm.ARM_INS_VLDR, arm.ARM_INS_VSTR) and len(data) == 2
    if identity in STORES:
        needs += ((Port.EARLY, r) for r in data if r >= FP_FIRST)
        kind = Kind.MULTIPLE if pair else Kind.STORE
        return Operation(kind, tuple(needs), (), written_back, alone=pair or double)
    plain = not memory.mem.index and not instruction.post_index
    subword = identity in SUBWORD_LOADS
    bank = (base, memory.mem.disp) if plain and not subword and not instruction.writeback else None
    results = tuple(data)
    kind = Kind.MULTIPLE if pair else Kind.LOAD
    made = Operation(kind, tuple(needs), results, written_back, alone=pair or double, subword=subword)
    return replace(made, bank=bank, flow=Flow.INDIRECT if PC in results else Flow.NEXT)


def _multiple(instruction: Any) -> Operation:
    operands, identity = instruction.operands, instruction.id
    on_stack = "push" in instruction.mnemonic or "pop" in instruction.mnemonic
    base = SP if on_stack else registers_of(operands[0])[0]
    listed = [r for operand in operands[0 if on_stack else 1 :] for r in registers_of(operand)]
    written_back = base if on_stack or instruction.writeback else None
    stores = identity in MULTIPLES_STORE
    results = () if stores else tuple(listed)
    return Operation(
        Kind.MULTIPLE,
        ((Port.EARLY, base),),
        results,
        written_back if base not in results else None,
        cycles=max(1, (len(listed) + 1) // 2),
        alone=True,
        flow=Flow.INDIRECT if PC in results else Flow.NEXT,
    )


def _branch(instruction: Any) -> Operation:
    identity, operands = instruction.id, instruction.operands
    if identity in (arm.ARM_INS_TBB, arm.ARM_INS_TBH):
        memory = operands[0].mem
        needs = tuple((Port.EARLY, core_register(r)) for r in (memory.base, memory.index))
        return Operation(Kind.BRANCH, needs, cycles=2, alone=True, flow=Flow.INDIRECT)
    results = (LR,) if identity in (arm.ARM_INS_BL, arm.ARM_INS_BLX) else ()
    last = operands[-1]
    if last.type == arm.ARM_OP_REG:
        needs = tuple((Port.EARLY, r) for r in registers_of(last))
        return Operation(Kind.BRANCH, needs, results, flow=Flow.INDIRECT)
    compared = tuple((Port.LATE, r) for r in registers_of(operands[0])) if len(operands) > 1 else ()
    conditional = bool(compared) or instruction.cc not in (arm.ARM_CC_AL, arm.ARM_CC_INVALID)
    flow = Flow.CONDITIONAL if conditional else Flow.DIRECT
    return Operation(Kind.BRANCH, compared, results, flow=flow, target=last.imm & 0xFFFF_FFFF)
