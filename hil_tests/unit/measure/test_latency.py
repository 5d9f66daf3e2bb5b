"""Cycles become milliseconds, and the parts must add up."""

from __future__ import annotations

import dataclasses

import pytest

from hil.boards.protocol import BoardInfo
from hil.deploy.deployment import Footprint
from hil.measure.latency import TOLERANCE, Percentiles, latency_parts, percentiles, unaccounted
from hil.measure.memory import memory_use, stack_peak
from hil.measure.source import Source
from hil.wire.to_host import StageCycles

CYCLES = StageCycles(graph=4000, quantise=300, encode=500, frame=200, wait=10_000, fuse=1000, total=16_000)


def test_the_wait_is_divided_between_server_and_link():
    parts = latency_parts(CYCLES, clock_hz=1_000_000, remote_s=0.004)
    assert (parts.local, parts.link, parts.remote, parts.fuse, parts.total) == pytest.approx((5, 6, 4, 1, 16))


def test_a_server_slower_than_the_wait_cannot_make_the_link_negative():
    parts = latency_parts(CYCLES, 1_000_000, remote_s=1.0)
    assert (parts.link, parts.remote) == pytest.approx((0, 10))


def test_parts_that_add_up_leave_nothing_unaccounted():
    assert unaccounted(latency_parts(CYCLES, 1_000_000, 0.0)) == pytest.approx(0)


def test_a_total_that_the_parts_do_not_reach_is_noticed():
    longer = dataclasses.replace(CYCLES, total=16_400)
    assert unaccounted(latency_parts(longer, 1_000_000, 0.0)) > TOLERANCE
    assert unaccounted(latency_parts(dataclasses.replace(CYCLES, total=0), 1_000_000, 0.0)) == 1.0


def test_percentiles_are_interpolated_and_unknown_of_nothing():
    assert percentiles([float(n) for n in range(101)]) == Percentiles(50.0, 50.0, 95.0, 99.0)
    assert percentiles([]) == Percentiles(None, None, None, None)


def test_memory_combines_the_elf_the_board_and_the_deepest_stack():
    board = BoardInfo("b", "", "", 1 << 20, 320 << 10, True, Source.TWIN_CYCLES, 921_600)
    use = memory_use(Footprint(100, 20, 30, 40), board)
    assert (use.flash_bytes, use.arena_bytes, use.flash_limit, use.ram_limit) == (100, 30, 1 << 20, 320 << 10)
    assert stack_peak([10, 0, 700, 300]) == 700
    assert stack_peak([0]) is None
