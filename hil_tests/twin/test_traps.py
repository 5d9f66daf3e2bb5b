"""Which instructions trap: the C decoder against the Python one, and both against a disassembler."""

from __future__ import annotations

import ctypes

import capstone
import pytest
from capstone import arm
from hypothesis import given
from hypothesis import strategies as st

from hil.twin import traps
from hil.twin.block_decode import decode_block
from hil.twin.native import build

CORE = {getattr(arm, f"ARM_REG_R{i}"): i for i in range(13)} | {arm.ARM_REG_LR: 14}
ALIGNED = ("ldm", "stm", "ldrd", "strd", "vldr", "vstr", "vldm", "vstm")
halfwords = st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=12)


def code_of(words: list[int]) -> bytes:
    return b"".join(word.to_bytes(2, "little") for word in words)


@given(halfwords)
def test_c_and_python_see_the_same_flags(words: list[int]) -> None:
    library, reason = build.load()
    if library is None:
        pytest.skip(reason)
    code = code_of(words)
    flags = ctypes.c_uint32()
    count = library.hil_decode(code, len(code), ctypes.byref(flags))
    instructions, expected = decode_block(code)
    assert (count, flags.value) == (instructions, expected)


def disassembled(first: int, second: int) -> capstone.CsInsn | None:
    engine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    engine.detail = True
    code = code_of([first, second] if first >= 0xE800 else [first])
    return next(engine.disasm(code, 0), None)


@given(st.integers(0, 0xFFFF) | st.integers(0xE800, 0xEDFF), st.integers(0, 0xFFFF))
def test_aligned_bases_are_those_of_the_multiple_and_double_accesses(first: int, second: int) -> None:
    instruction = disassembled(first, second)
    if instruction is None:
        return
    base = traps.aligned_base(first, second if first >= 0xE800 else 0)
    name = instruction.mnemonic.split(".")[0]
    if base is not None:
        assert name.startswith(ALIGNED), instruction
    elif name.startswith(("ldm", "stm", "ldrd", "strd")):
        text = instruction.op_str.split("[")[-1]
        assert text.startswith(("sp", "pc")), instruction


@given(st.integers(0, 0xB7FF), st.integers(0, 0xFFFF))
def test_no_written_register_of_a_narrow_instruction_is_missed(first: int, second: int) -> None:
    instruction = disassembled(first, second)
    if instruction is None or instruction.mnemonic.startswith(("cbz", "cbnz", "push", "bx", "blx")):
        return
    written = traps.written_by(first, 0)
    _, changed = instruction.regs_access()
    for register in changed:
        if register in CORE:
            assert written >> CORE[register] & 1, (instruction, hex(written))
