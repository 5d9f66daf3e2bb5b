"""Placement: sound, reproducible, never below its bound, and optimal where it says so."""

from __future__ import annotations

import random

import pytest
from hil_tests.unit.deploy.memory.cases import Case, assert_sound, cases, small
from hypothesis import given, settings

from hil.deploy.memory.bound import alive_bytes
from hil.deploy.memory.branch import Branching
from hil.deploy.memory.buffer import ALIGNMENT, Buffer, Overlap, aligned
from hil.deploy.memory.climb import greedy
from hil.deploy.memory.place import Placement, place
from hil.deploy.memory.problem import Problem

many = settings(max_examples=150, deadline=None)


def lowest(case: Case) -> int:
    """The height of the lowest placement, from all there are below the sum of sizes."""
    problem = Problem(case.buffers, case.overlaps)
    limit = sum(problem.size)
    best = limit

    def allowed(offsets: list[int], b: int, offset: int) -> bool:
        for a, other in enumerate(offsets):
            if a not in problem.apart[b]:
                continue
            low, high = (a, b) if other <= offset else (b, a)
            needed = problem.apart[high][low]
            if other == offset:
                needed = min(problem.apart[b][a], problem.apart[a][b])
            if abs(other - offset) < needed:
                return False
        return True

    def extend(offsets: list[int], height: int) -> None:
        nonlocal best
        if height >= best:
            return
        b = len(offsets)
        if b == len(problem.size):
            best = height
            return
        for offset in range(limit):
            if allowed(offsets, b, offset):
                extend([*offsets, offset], max(height, offset + problem.size[b]))

    extend([], 0)
    return best * ALIGNMENT


@many
@given(cases())
def test_buffers_alive_together_are_apart_save_where_they_may_overlap(case: Case) -> None:
    placed = place(case.buffers, case.overlaps)
    assert_sound(case, placed.offsets)
    assert all(placed.offsets[b.name] + b.size <= placed.arena_bytes for b in case.buffers)


@many
@given(cases())
def test_an_arena_lies_between_its_bound_and_the_sum(case: Case) -> None:
    placed = place(case.buffers, case.overlaps)
    assert max(alive_bytes(case.buffers, case.overlaps)) <= placed.lower_bound <= placed.arena_bytes
    assert placed.arena_bytes <= sum(aligned(b.size) for b in case.buffers)
    assert placed.gap_bytes == placed.arena_bytes - placed.lower_bound


@many
@given(small())
def test_few_buffers_are_placed_as_low_as_can_be(case: Case) -> None:
    placed = place(case.buffers, case.overlaps)
    assert placed.arena_bytes == lowest(case)
    assert placed.gap_bytes == 0


@many
@given(small())
def test_branch_and_bound_finds_the_lowest_from_any_start(case: Case) -> None:
    problem = Problem(case.buffers, case.overlaps)
    stacked = [sum(problem.size[:b]) for b in range(len(problem.size))]
    search = Branching(problem, stacked, bound=0, nodes=100_000)
    search.run()
    assert search.exhausted
    assert problem.height(search.offsets) * ALIGNMENT == lowest(case)
    assert_sound(case, {b.name: o * ALIGNMENT for b, o in zip(case.buffers, search.offsets, strict=True)})


@many
@given(small())
def test_no_placement_beats_the_bound(case: Case) -> None:
    assert max(alive_bytes(case.buffers, case.overlaps)) <= lowest(case)


@many
@given(cases())
def test_overlaps_cost_nothing(case: Case) -> None:
    without = place(case.buffers)
    assert place(case.buffers, case.overlaps).arena_bytes <= without.arena_bytes


@given(cases())
def test_the_same_buffers_get_the_same_offsets(case: Case) -> None:
    assert place(case.buffers, case.overlaps) == place(case.buffers, case.overlaps)


def chain(*sizes: int) -> tuple[Buffer, ...]:
    """Each is read by the step that writes the next."""
    return tuple(Buffer(f"t{i}", size, i, i + 1) for i, size in enumerate(sizes))


def test_a_chain_in_place_takes_its_largest_buffer() -> None:
    overlaps = [Overlap(i + 1, f"t{i + 1}", f"t{i}") for i in range(2)]
    assert place(chain(800, 800, 400), overlaps).arena_bytes == 800


def test_a_lead_is_kept() -> None:
    placed = place(chain(800, 800), [Overlap(1, "t1", "t0", lead=100)])
    assert placed.arena_bytes == 904
    assert placed.offsets["t0"] - placed.offsets["t1"] == 104


def test_a_lead_beyond_the_output_is_no_overlap() -> None:
    assert place(chain(800, 80), [Overlap(1, "t1", "t0", lead=1000)]).arena_bytes == 880


def test_a_sum_lies_over_one_of_its_operands() -> None:
    buffers = (Buffer("a", 800, 0, 2), Buffer("b", 800, 1, 2), Buffer("sum", 800, 2, 3))
    overlaps = [Overlap(2, "sum", "a"), Overlap(2, "sum", "b")]
    assert place(buffers, overlaps).arena_bytes == 1600


def test_an_input_that_is_needed_later_must_not_be_overwritten() -> None:
    buffers = (Buffer("a", 8, 0, 2), Buffer("b", 8, 1, 2))
    with pytest.raises(ValueError, match="b must not overlap a at step 1"):
        place(buffers, [Overlap(1, "b", "a")])


def test_what_greedy_orders_miss_is_found() -> None:
    lives = {"a": (16, 0, 1), "b": (40, 0, 0), "c": (32, 0, 2), "d": (8, 1, 2), "e": (40, 2, 2)}
    buffers = tuple(Buffer(name, *life) for name, life in lives.items())
    problem = Problem(buffers, ())
    assert problem.height(problem.lowest_fit(greedy(problem))) * ALIGNMENT == 96
    placed = place(buffers)
    assert placed.arena_bytes == placed.lower_bound == 88


def test_a_hundred_buffers_are_placed_within_a_hundredth() -> None:
    chance = random.Random(3)
    buffers = []
    for index in range(100):
        first = chance.randrange(50)
        buffers.append(Buffer(f"b{index}", chance.randint(1, 2000), first, first + chance.randrange(4)))
    placed = place(buffers)
    assert placed.gap_bytes <= placed.lower_bound / 100


def test_no_buffers_need_no_arena() -> None:
    assert place(()) == Placement()
