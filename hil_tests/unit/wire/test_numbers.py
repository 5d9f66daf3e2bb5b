"""No number of a conversation fits into the next one, whichever way and however late."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.wire.numbers import AHEAD_MAX, Numbers

NUMBER = st.integers(0, 0xFFFF)
FEW = st.integers(0, 1000)


def follows(number: int, last: int) -> bool:
    """RFC 1982's rule, by which the device takes a message for new."""
    return 0 < (number - last) & 0xFFFF <= 0x8000


def test_the_first_conversation_begins_with_one() -> None:
    numbers = Numbers()
    numbers.begin()
    assert numbers.next() == 1
    assert numbers.is_ahead(1)


@settings(max_examples=400, deadline=None)
@given(sent=NUMBER, delivered=NUMBER, late=FEW, unheard=st.integers(0, AHEAD_MAX), said=FEW, heard=FEW)
def test_what_comes_from_an_earlier_conversation_is_never_new(
    sent: int, delivered: int, late: int, unheard: int, said: int, heard: int
) -> None:
    """Said `late` messages ago, or never heard, it comes when the next has `said` and `heard` so many."""
    numbers = Numbers(sent, delivered)
    numbers.begin()
    begun = numbers.next()
    ours, theirs = (begun + said) & 0xFFFF, (begun + heard) & 0xFFFF
    numbers.delivered = theirs
    for way, old in (("down", sent - late), ("up", delivered - late), ("up", delivered + unheard)):
        number = old & 0xFFFF
        if way == "down":
            assert not follows(number, ours)
            assert number != ours, "its acknowledgement is none of ours"
        else:
            assert not numbers.is_ahead(number)
            assert number != theirs


@settings(max_examples=100, deadline=None)
@given(sent=NUMBER, delivered=NUMBER, given_up=st.integers(1, AHEAD_MAX))
def test_what_comes_from_this_one_is_new_once(sent: int, delivered: int, given_up: int) -> None:
    numbers = Numbers(sent, delivered)
    numbers.begin()
    capability = numbers.next()
    assert follows(capability, sent)
    assert numbers.is_ahead(capability)
    numbers.delivered = capability
    assert numbers.is_behind(capability)
    after = (capability + given_up) & 0xFFFF
    assert numbers.is_ahead(after)
    assert not numbers.is_behind(after)


@pytest.mark.parametrize("further", [AHEAD_MAX + 1, 0x7FFF])
def test_what_is_too_far_ahead_is_neither(further: int) -> None:
    numbers = Numbers(9, 0xFFF0)
    number = (0xFFF0 + further) & 0xFFFF
    assert not numbers.is_ahead(number)
    assert not numbers.is_behind(number)
