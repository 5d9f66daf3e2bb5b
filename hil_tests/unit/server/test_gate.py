"""One address cannot knock without end, and others do not notice."""

from __future__ import annotations

import pytest

from hil.server import gate
from hil.server.gate import Gate


def admitted(one: Gate, address: str, count: int, now_s: float = 0.0) -> int:
    return sum(one.admits(address, now_s) for _ in range(count))


def test_some_at_once_and_then_at_a_rate() -> None:
    one = Gate()
    assert admitted(one, "192.0.2.1", 1000) == gate.PLACES
    assert admitted(one, "192.0.2.2", 1000) == gate.PLACES
    assert admitted(one, "192.0.2.1", 1000, 2.0) == 2 * gate.PLACES_A_SECOND
    assert admitted(one, "192.0.2.1", 1000, 1e6) == gate.PLACES


def test_who_guesses_tokens_is_soon_not_heard_any_more() -> None:
    one, guesses = Gate(), 0
    for tenth in range(600):
        if one.admits("192.0.2.1", tenth / 10):
            one.guessed_wrong("192.0.2.1", tenth / 10)
            guesses += 1
    assert guesses <= gate.PLACES / gate.WRONG_TOKEN + 60
    assert one.admits("192.0.2.2", 60.0)


def test_a_network_of_ipv6_is_one_address() -> None:
    one = Gate()
    assert admitted(one, "2001:db8::1", 1000) == gate.PLACES
    assert not one.admits("2001:db8::ffff", 0.0)
    assert one.admits("2001:db8:0:1::1", 0.0)
    assert admitted(one, "::ffff:192.0.2.1", 1000) == gate.PLACES
    assert not one.admits("192.0.2.1", 0.0)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_no_stranger(address: str) -> None:
    assert admitted(Gate(), address, 1000) == 1000


def test_what_is_remembered_is_bounded() -> None:
    one = Gate()
    for number in range(3 * gate.ADDRESSES_MAX):
        one.admits(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(one._left) == gate.ADDRESSES_MAX
