"""The shadow stack on made-up programs, and what empty issue slots are charged to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.twin.image import Function, Image
from hil.twin.profile import Profile, Recorder
from hil.twin.profile.recorder import extents
from hil.twin.profile.records import ENDS_CALLING, ENDS_INDIRECT
from hil.twin.state import CoreState
from hil.twin.timing.blocks import BlockCosts, Edge
from hil.twin.timing.parameters import DEFAULT, TICKS
from hil.twin.timing.pipeline import SLOTS
from hil.twin.timing.state import TimingState

FUNCTIONS = tuple(Function(0x0800_0000 + 0x100 * n, 0x100, f"f{n}") for n in range(6))
COSTS = BlockCosts(DEFAULT)


@dataclass
class Frame:
    """What the program itself knows of a call."""

    function: int
    return_address: int
    sp: int


class Program:
    """Makes a recorder see calls, returns, tail calls and long jumps; a block costs one instruction."""

    def __init__(self) -> None:
        self.core, timing = CoreState(), TimingState()
        self.recorder = Recorder(self.core, timing, Image(None, (), 0, functions=FUNCTIONS))
        self.frames = [Frame(0, 0, 0x2000_8000)]
        self.spent = [0] * len(FUNCTIONS)
        self._block(FUNCTIONS[0].address)

    def _block(self, address: int, ends: int = 0) -> None:
        state, sp = self.recorder.state, self.frames[-1].sp
        self.recorder.walk.follow(address, lambda: sp)
        function = (address - FUNCTIONS[0].address) // 0x100
        assert self.recorder.nodes[state.current].key == FUNCTIONS[function].address
        self.core.instructions += 1
        self.spent[function] += 1
        state.ended, state.ended_at = ends, address + 2

    def _inside(self, offset: int) -> int:
        return FUNCTIONS[self.frames[-1].function].address + 2 + offset

    def call(self, function: int, offset: int) -> None:
        at = self._inside(offset)
        self._block(at, ENDS_CALLING)
        self.frames.append(Frame(function, at + 2, self.frames[-1].sp - 8 * (offset % 3)))
        self._block(FUNCTIONS[function].address)

    def back(self, _: int, offset: int) -> None:
        if len(self.frames) > 1:
            self._block(self._inside(offset), ENDS_INDIRECT)
            address = self.frames.pop().return_address
            # The stack pointer is that of the call again, whatever the caller's frame is called.
            self._block(address)

    def tail(self, function: int, offset: int) -> None:
        if function != self.frames[-1].function:
            self._block(self._inside(offset))
            self.frames[-1].function = function
            self._block(FUNCTIONS[function].address)

    def long_jump(self, depth: int, offset: int) -> None:
        target = depth % len(self.frames)
        if self.frames[target].sp > self.frames[-1].sp:
            self._block(self._inside(offset), ENDS_INDIRECT)
            del self.frames[target + 1 :]
            self._block(self._inside(offset))


steps = st.lists(
    st.tuples(
        st.sampled_from(["call", "call", "back", "tail", "long_jump"]),
        st.integers(0, len(FUNCTIONS) - 1),
        st.integers(0, 40).map(lambda n: 2 * n),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_every_block_is_charged_to_the_function_that_holds_it(taken: list[tuple[str, int, int]]) -> None:
    program = Program()
    for step, number, offset in taken:
        getattr(program, step)(number, offset)
    profile = Profile.of(program.recorder, Image(None, (), 0, functions=FUNCTIONS))
    counted = {cost.name: cost.instructions for cost in profile.functions}
    assert [counted.get(f"f{n}", 0) for n in range(len(FUNCTIONS))] == program.spent


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40).map(lambda n: 2 * n)), max_size=40))
def test_calls_and_returns_leave_the_stack_as_it_was(calls: list[tuple[int, int]]) -> None:
    program = Program()
    state = program.recorder.state
    for function, offset in calls:
        program.call(function, offset)
    assert state.depth == len(calls) + 1
    for _, offset in reversed(calls):
        program.back(0, offset)
    assert (state.depth, program.recorder.nodes[state.current].key) == (1, FUNCTIONS[0].address)


def test_functions_end_where_the_next_begins() -> None:
    given_ = (Function(0x100, 0, "asm"), Function(0x140, 0x400, "outer"), Function(0x200, 0x10, "inner"))
    found = [(extent.start, extent.end) for extent in extents(given_)]
    assert found == [(0x100, 0x140), (0x140, 0x200), (0x200, 0x210)]
    assert extents(()) == []


def edge_of(code: str) -> Edge:
    return COSTS.edge(None, COSTS.block(0x0800_0000, bytes.fromhex(code.replace(" ", ""))))


def parts(edge: Edge) -> dict[str, int]:
    """Stalls in ticks, those that there are."""
    slot, stalls = TICKS // SLOTS, edge.stalls
    ticks = {
        "mac": stalls.mac_slots * slot,
        "load": stalls.load_slots * slot,
        "other": stalls.other_slots * slot,
        "branch": stalls.branch_ticks,
        "bank": stalls.bank_ticks,
    }
    return {name: value for name, value in ticks.items() if value}


SMLAD = "21fb0300"  # smlad r0, r1, r3, r0
MUL, ADD, LDR, LDR_0, NOP = "01fb03f0", "0130", "0868", "0068", "00bf"


@pytest.mark.parametrize(
    ("code", "ticks", "expected"),
    [
        (f"{NOP}{NOP}{NOP}{NOP}", 200, {}),
        (SMLAD * 4, 400, {"mac": 150}),  # one a cycle: three slots lost to the port
        (f"{MUL} {ADD}", 300, {"mac": 150}),  # the slot beside mul, and a whole cycle
        (f"{LDR} {LDR_0}", 300, {"load": 150}),  # ldr r0, [r1]; ldr r0, [r0]
        ("b0fbf1f2", 800, {"other": 700}),  # udiv r2, r0, r1
        (f"{ADD}{ADD}{ADD}", 200, {}),  # a late ALU takes the early one's result in the same cycle
    ],
)
def test_empty_slots_are_charged_to_what_held_the_next_instruction_back(
    code: str, ticks: int, expected: dict[str, int]
) -> None:
    edge = edge_of(code)
    assert (edge.ticks, parts(edge)) == (ticks, expected)


narrow = st.integers(0, 0xE7FF).map(lambda first: first.to_bytes(2, "little"))
wide = st.tuples(st.integers(0xE800, 0xFFFF), st.integers(0, 0xFFFF)).map(
    lambda pair: pair[0].to_bytes(2, "little") + pair[1].to_bytes(2, "little")
)
blocks = st.lists(st.one_of(narrow, wide), min_size=1, max_size=12).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(blocks, blocks)
def test_stalls_are_a_part_of_what_an_edge_costs(first: bytes, second: bytes) -> None:
    before = COSTS.block(0x0800_0000, first)
    after = COSTS.block(before.address + before.size, second)
    for edge in (COSTS.edge(None, before), COSTS.edge(before, after)):
        assert 0 <= sum(parts(edge).values()) <= edge.ticks
    instructions = len(before.operations)
    assert COSTS.edge(None, before).ticks - sum(parts(COSTS.edge(None, before)).values()) >= (
        instructions * TICKS // SLOTS
    )


def test_a_taken_branch_is_charged_what_it_costs() -> None:
    loop = COSTS.block(0x0800_0100, bytes.fromhex("00bf fee7".replace(" ", "")))  # nop; b .
    jump = COSTS.block(0x0800_0000, bytes.fromhex("7ee0"))  # b 0x08000100
    target = COSTS.block(0x0800_0100, bytes.fromhex(NOP))
    assert jump.target == loop.address
    half = DEFAULT.taken_branch_percent * TICKS // 100
    assert parts(COSTS.edge(jump, target)) == {"branch": TICKS // SLOTS + half}


def test_blocks_tell_how_they_are_left() -> None:
    def ends(code: str) -> tuple[bool, bool]:
        block = COSTS.block(0x0800_0000, bytes.fromhex(code))
        return block.calls, block.jumps

    endings: Iterable[tuple[str, tuple[bool, bool]]] = (
        ("00f001f8", (True, False)),  # bl
        ("9847", (True, False)),  # blx r3
        ("7047", (False, True)),  # bx lr
        ("10bd", (False, True)),  # pop {r4, pc}
        ("dfe801f0", (False, True)),  # tbb [pc, r1]
        ("fee7", (False, False)),  # b .
        (NOP, (False, False)),
    )
    for code, expected in endings:
        assert ends(code) == expected, code
