"""The queue is bounded, loses nothing, and gives every session its turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.server.fair import FairQueue

PUTS = st.lists(st.integers(0, 4), max_size=60)


@given(PUTS, st.integers(1, 20))
def test_what_was_taken_in_comes_out_once_and_in_its_sessions_order(sessions: list[int], size: int) -> None:
    queue: FairQueue[tuple[int, int]] = FairQueue(size)
    taken = [item for item in zip(sessions, range(100), strict=False) if queue.put(item[0], item)]
    assert len(queue) == len(taken) <= size
    out = [queue.take() for _ in range(len(queue))]
    assert sorted(out) == sorted(taken)
    for session in set(sessions):
        own = [item for item in out if item[0] == session]
        assert own == sorted(own)


@given(PUTS)
def test_nobody_is_served_twice_while_another_waits(sessions: list[int]) -> None:
    queue: FairQueue[int] = FairQueue(1000)
    for session in sessions:
        queue.put(session, session)
    rounds = []
    while len(queue):
        rounds.append(queue.take())
    waiting = {session: sessions.count(session) for session in set(sessions)}
    for at in range(len(rounds)):
        ahead = rounds[at + 1 :]
        if rounds[at] in ahead:
            between = ahead[: ahead.index(rounds[at])]
            others = {one for one in waiting if one != rounds[at] and waiting[one] > rounds[:at].count(one)}
            assert set(between) >= {one for one in others if one in ahead}


@given(st.integers(2, 50), st.integers(1, 10))
def test_however_many_are_greedy_a_newcomer_finds_a_place(size: int, greedy: int) -> None:
    queue: FairQueue[str] = FairQueue(size)
    for session in range(min(greedy, size - 1)):
        while queue.put(session, "x") and len(queue) < 10 * size:
            pass
    assert len(queue) <= size
    if greedy < size.bit_length():
        assert queue.put("newcomer", "x")


def test_a_session_that_left_is_forgotten():
    queue: FairQueue[str] = FairQueue(10)
    for session in ("a", "b", "a"):
        queue.put(session, session)
    assert queue.forget("a") == ["a", "a"]
    assert queue.forget("a") == []
    assert [queue.take(), len(queue)] == ["b", 0]
    with pytest.raises(KeyError):
        queue.take()
