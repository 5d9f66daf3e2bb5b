"""Scheduling keeps what a block computes, within the registers it is given."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.deploy.kernels.schedule import Block, Scheduled, Unit, schedule, statement

few = settings(max_examples=25, deadline=None)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """Loads, products of recent values, and stores of some of them."""
    block = Block()
    values = [block.load("base", 4 * index) for index in range(3)]
    for step in range(draw(st.integers(1, 40))):
        recent = values[-6:]
        kind = draw(st.sampled_from(("load", "mac", "saturate", "store")))
        if kind == "load":
            values.append(block.load("base", 4 * step))
        elif kind == "mac":
            x, y, total = (draw(st.sampled_from(recent)) for _ in range(3))
            values.append(block.mac("smlad", x, y, total))
        elif kind == "saturate":
            values.append(block.saturate(draw(st.sampled_from(recent))))
        else:
            block.store("str", draw(st.sampled_from(recent)), "base", 4000 + 4 * step)
    block.store("str", values[-1], "base", 4090)
    return block


def stored(block: Block) -> set[str]:
    """What a block stores, as expressions over what it loads."""
    values: dict[str, str] = {}
    found = set()
    for item in block.instructions:
        text = item.text.format(*(values[name] for name in item.sources), d="")
        if item.result is None:
            found.add(text)
        else:
            values[item.result] = f"({text})"
    return found


def executed(scheduled: Scheduled) -> set[str]:
    """The same of the scheduled lines, over registers."""
    registers: dict[str, str] = {}
    found = set()
    for item, line in zip(scheduled.order, scheduled.lines(), strict=True):
        sources = [f"%[t{scheduled.registers[name]}]" for name in item.sources]
        text = item.text.format(*(registers[name] for name in sources), d="")
        if item.result is None:
            found.add(text)
        else:
            target = re.search(r"%\[t\d+\]", line)
            assert target is not None
            registers[target[0]] = f"({text})"
    return found


@few
@given(blocks())
def test_a_schedule_stores_what_the_block_stores(block: Block) -> None:
    scheduled = schedule(block, 12)
    assert executed(scheduled) == stored(block)
    assert sorted(map(id, scheduled.order)) == sorted(map(id, block.instructions))


@few
@given(blocks(), st.integers(6, 12))
def test_it_never_takes_more_registers_than_it_may(block: Block, registers: int) -> None:
    with contextlib.suppress(ValueError):  # the block itself needs more
        assert schedule(block, registers).count <= registers


@few
@given(blocks())
def test_two_schedules_of_a_block_are_equal(block: Block) -> None:
    assert schedule(block, 12).lines() == schedule(block, 12).lines()


def test_loads_move_ahead_of_the_products_that_wait_for_them() -> None:
    block = Block()
    total = "start"
    for index in range(8):
        total = block.mac("smlad", block.load("base", 4 * index), "weight", total)
    block.store("str", total, "base", 64)
    # Eight products, one a cycle, two cycles behind the first load and one ahead of the store.
    assert schedule(block, 12).cycles <= 12
    assert schedule(block, 2).cycles > schedule(block, 12).cycles


def test_a_block_that_needs_more_registers_is_refused() -> None:
    block = Block()
    values = [block.load("base", 4 * index) for index in range(4)]
    for value in values:
        block.put(Unit.ALU, "add {d}, {0}, {1}", *values[:2])
        block.store("str", value, "base", 64)
    with pytest.raises(ValueError, match="do not fit into 2 registers"):
        schedule(block, 2)


def test_a_statement_declares_what_it_needs() -> None:
    block = Block()
    block.store("str", block.mac("smlad", block.load("base", 0), "weight", "bias"), "base", 4)
    text = "\n".join(statement(schedule(block, 4), ("base", "weight", "bias")))
    assert "uint32_t t0;" in text
    assert '[base] "r"(base), [weight] "r"(weight), [bias] "r"(bias)' in text
    assert '"smlad %[t0], %[t0], %[weight], %[bias]\\n\\t"' in text
    assert '"memory");' in text
