"""Two memories: all in DTCM if it fits, else the hottest, and never more RAM for that."""

from __future__ import annotations

from hil_tests.unit.deploy.memory.cases import Case, assert_sound, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.deploy.memory.buffer import Buffer
from hil.deploy.memory.place import Placement, place
from hil.deploy.memory.regions import Region, divide

many = settings(max_examples=60, deadline=None)


@many
@given(cases(), st.integers(0, 20_000))
def test_every_buffer_has_one_place_and_both_arenas_are_sound(case: Case, dtcm_bytes: int) -> None:
    arenas = divide(case.buffers, case.overlaps, dtcm_bytes)
    names = [name for arena in arenas.values() for name in arena.offsets]
    assert sorted(names) == sorted(b.name for b in case.buffers)
    for arena in arenas.values():
        inside = tuple(b for b in case.buffers if b.name in arena.offsets)
        pairs = tuple(o for o in case.overlaps if {o.output, o.input} <= arena.offsets.keys())
        assert_sound(Case(inside, pairs), arena.offsets)


@many
@given(cases(), st.integers(0, 20_000))
def test_dtcm_is_not_overfilled_and_no_ram_is_paid_for_it(case: Case, dtcm_bytes: int) -> None:
    arenas = divide(case.buffers, case.overlaps, dtcm_bytes)
    assert arenas[Region.DTCM].arena_bytes <= dtcm_bytes
    whole = place(case.buffers, case.overlaps).arena_bytes
    assert sum(arena.arena_bytes for arena in arenas.values()) <= whole


@given(cases())
def test_what_fits_lies_in_dtcm_alone(case: Case) -> None:
    arenas = divide(case.buffers, case.overlaps, 1 << 20)
    assert arenas == {Region.DTCM: place(case.buffers, case.overlaps), Region.SRAM: Placement()}


@given(cases(), st.integers(0, 20_000))
def test_the_same_buffers_are_divided_alike(case: Case, dtcm_bytes: int) -> None:
    assert divide(case.buffers, case.overlaps, dtcm_bytes) == divide(case.buffers, case.overlaps, dtcm_bytes)


def test_scratch_goes_first_then_what_is_accessed_most_for_its_size() -> None:
    scratch = Buffer("scratch", 400, 0, 0, scratch=True)
    hot, cold = Buffer("hot", 400, 0, 0, accesses=4000), Buffer("cold", 400, 0, 0, accesses=800)
    assert _in_dtcm((cold, hot, scratch), 500) == {"scratch"}
    assert _in_dtcm((cold, hot, scratch), 900) == {"scratch", "hot"}
    assert _in_dtcm((cold, hot), 500) == {"hot"}


def test_a_buffer_that_fills_a_hole_in_sram_stays_there() -> None:
    # `small` lies beside `early` in the room of `late`; elsewhere it would be bytes on top.
    buffers = (
        Buffer("early", 400, 0, 0, 400),
        Buffer("small", 400, 0, 0, 4000),
        Buffer("late", 800, 1, 1, 800),
    )
    assert _in_dtcm(buffers, 500) == set()


def test_ram_is_paid_for_speed_where_asked_for() -> None:
    early, late = Buffer("early", 400, 0, 0, 800), Buffer("late", 400, 1, 1, 4000)
    assert divide((early, late), (), 399)[Region.DTCM] == Placement()
    wide = Buffer("wide", 800, 0, 0, 800)
    thrifty, lavish = (divide((wide, late), (), 500, spend=spend) for spend in (False, True))
    assert [a.arena_bytes for a in thrifty.values()] == [0, 800]
    assert [a.arena_bytes for a in lavish.values()] == [400, 800]


def test_buffers_of_the_fullest_step_may_be_parted_for_nothing() -> None:
    buffers = (Buffer("a", 400, 0, 0, 800), Buffer("b", 400, 0, 0, 400), Buffer("c", 400, 1, 1, 4000))
    arenas = divide(buffers, (), 500)
    assert set(arenas[Region.DTCM].offsets) == {"a", "c"}


def _in_dtcm(buffers: tuple[Buffer, ...], dtcm_bytes: int) -> set[str]:
    return set(divide(buffers, (), dtcm_bytes)[Region.DTCM].offsets)
