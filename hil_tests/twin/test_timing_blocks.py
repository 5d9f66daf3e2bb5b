"""Pricing of blocks: any code at all has a price, and contexts add up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.twin.block_decode import decode_block
from hil.twin.timing.addresses import NOTHING, WRITE, AddressFinder, Value
from hil.twin.timing.blocks import BlockCosts
from hil.twin.timing.decode import disassembler
from hil.twin.timing.operation import Flow
from hil.twin.timing.parameters import DEFAULT, TICKS

COSTS = BlockCosts(DEFAULT)
NOP, ADD, LOOP = "00bf", "0130", "fee7"  # nop; adds r0, #1; b .

narrow = st.integers(0, 0xE7FF).map(lambda first: first.to_bytes(2, "little"))
wide = st.tuples(st.integers(0xE800, 0xFFFF), st.integers(0, 0xFFFF)).map(
    lambda pair: pair[0].to_bytes(2, "little") + pair[1].to_bytes(2, "little")
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(narrow, wide), min_size=1, max_size=12).map(b"".join), st.integers(0, 2000))
def test_any_code_has_a_price(code: bytes, place: int) -> None:
    edge = COSTS.edge(None, COSTS.block(0x0800_0000 + 2 * place, code))
    instructions, _ = decode_block(code)
    assert edge.ticks * 2 >= instructions * TICKS, "two instructions a cycle at most"
    assert edge.ticks <= instructions * 40 * TICKS


def test_a_block_that_falls_through_costs_the_same_in_two_pieces() -> None:
    code = bytes.fromhex((NOP + ADD) * 5 + NOP)
    whole = COSTS.edge(None, COSTS.block(0x0800_0000, code)).ticks
    first = COSTS.block(0x0800_0000, code[:6])
    second = COSTS.block(0x0800_0006, code[6:])
    assert COSTS.edge(None, first).ticks + COSTS.edge(first, second).ticks == whole


def test_an_exception_is_not_taken_for_a_branch() -> None:
    loop = COSTS.block(0x0800_0100, bytes.fromhex(LOOP))
    handler = COSTS.block(0x0800_0200, bytes.fromhex(NOP))
    assert COSTS.edge(loop, loop).kind is Flow.DIRECT
    assert COSTS.edge(loop, handler).kind is Flow.NEXT


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("51f8040b", Value(source=1)),  # ldr r0, [r1], #4
        ("53f82420", Value(source=3, index=4, shift=2)),  # ldr.w r2, [r3, r4, lsl #2]
        ("03f11003 1868", Value(source=3, offset=16)),  # add.w r3, #16; ldr r0, [r3]
        ("c918 0868", Value(source=1, index=3)),  # adds r1, r1, r3; ldr r0, [r1]
        ("40f23410 c0f20210 0068", Value(offset=0x0102_0134)),  # movw, movt; ldr r0, [r0]
        ("0868 0068", Value(source=16)),  # ldr r0, [r1]; ldr r0, [r0]
        ("ffb5", Value(source=13, offset=-36)),  # push {r0-r7, lr}
    ],
)
def test_addresses_become_formulas_over_the_registers_at_entry(code: str, expected: Value) -> None:
    finder = AddressFinder()
    for instruction in disassembler().disasm(bytes.fromhex(code.replace(" ", "")), 0x0800_0000):
        finder.step(instruction, False)
    assert finder.unresolved == 0
    assert finder.accesses[-1].address == expected
    assert bool(finder.accesses[-1].flags & WRITE) == code.startswith("ffb5")


def test_an_address_from_a_product_has_no_formula() -> None:
    finder = AddressFinder()
    for instruction in disassembler().disasm(bytes.fromhex("484308680068"), 0):  # muls r0, r1; ldr; ldr
        finder.step(instruction, False)
    assert finder.accesses[0].address == Value(source=1, index=NOTHING)
    finder = AddressFinder()
    for instruction in disassembler().disasm(bytes.fromhex("41430868"), 0):  # muls r1, r0; ldr r0, [r1]
        finder.step(instruction, False)
    assert finder.unresolved == 1
