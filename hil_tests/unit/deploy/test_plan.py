"""The memory plan: nothing alive is overwritten, and little is wasted."""

from __future__ import annotations

from hil_tests import graphs
from hypothesis import given
from hypothesis import strategies as st

from hil.bundle import PayloadFormat
from hil.codec.coder import make_coder
from hil.deploy.lower import plain
from hil.deploy.plan import ALIGNMENT, PAYLOAD, SYMBOLS, Buffer, buffers_of, plan
from hil.deploy.program import DeviceHalf

PAYLOAD_FORMAT = PayloadFormat(0, 1, 2, 2, (0.0, 1.0, 2.0))


@st.composite
def buffer_sets(draw: st.DrawFn) -> tuple[Buffer, ...]:
    count = draw(st.integers(1, 12))
    buffers = []
    for index in range(count):
        first = draw(st.integers(0, 8))
        buffers.append(
            Buffer(f"b{index}", draw(st.integers(1, 5000)), first, first + draw(st.integers(0, 4)))
        )
    return tuple(buffers)


@given(buffer_sets())
def test_buffers_alive_together_share_no_byte(buffers: tuple[Buffer, ...]) -> None:
    placed = plan(buffers)
    for one in buffers:
        assert placed.offsets[one.name] % ALIGNMENT == 0
        assert placed.offsets[one.name] + one.size <= placed.arena_bytes
        for other in buffers:
            if one is not other and one.first <= other.last and other.first <= one.last:
                a, b = placed.offsets[one.name], placed.offsets[other.name]
                assert a + one.size <= b or b + other.size <= a


@given(buffer_sets())
def test_an_arena_is_never_below_its_lower_bound_nor_above_the_sum(buffers: tuple[Buffer, ...]) -> None:
    placed = plan(buffers)
    assert placed.lower_bound <= placed.arena_bytes
    assert placed.arena_bytes <= sum(b.size + ALIGNMENT for b in buffers)


def test_buffers_whose_lives_do_not_meet_share_memory() -> None:
    placed = plan((Buffer("a", 1000, 0, 1), Buffer("b", 1000, 2, 3)))
    assert placed.arena_bytes == 1000


@given(graphs.OPERATORS["convolution"])
def test_the_payload_outlives_the_graph(case: graphs.Case) -> None:
    half = DeviceHalf(case.graph, make_coder(PAYLOAD_FORMAT, {}))
    by_name = {b.name: b for b in buffers_of(plain(half))}
    assert by_name["out"].last >= len(case.graph.ops)
    assert by_name[SYMBOLS].last == by_name[PAYLOAD].first
    assert by_name[PAYLOAD].last == max(b.last for b in by_name.values())
