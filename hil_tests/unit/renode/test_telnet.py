"""The Monitor's byte stream: negotiation, echo, odd line ends, prompts, numbers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.renode.telnet import TelnetDecoder, clean, cut_reply, integer
from hil_tests.unit.renode import recorded
from hil_tests.unit.renode.recorded import PROMPTS, Exchange


def decode(*pieces: bytes) -> str:
    decoder = TelnetDecoder()
    return "".join(decoder.feed(piece) for piece in pieces)


@st.composite
def cut_somewhere(draw: st.DrawFn, exchange: Exchange) -> list[bytes]:
    places = draw(st.lists(st.integers(0, len(exchange.raw)), max_size=8))
    edges = [0, *sorted(places), len(exchange.raw)]
    return [exchange.raw[begin:end] for begin, end in pairwise(edges)]


def test_the_greeting_loses_its_negotiation_and_ends_in_a_prompt() -> None:
    text = decode(recorded.GREETING)
    assert "\ufffd" not in text
    reply = cut_reply(text, "", PROMPTS)
    assert reply is not None
    assert reply.prompt == "monitor"
    assert "1.16.1" in reply.output


def test_a_greeting_that_lost_a_letter_will_do() -> None:
    assert cut_reply(decode(recorded.LOSSY_GREETING), "", PROMPTS) is not None


def test_subnegotiation_and_doubled_iac() -> None:
    assert decode(b"a\xff\xfa\x1f\x00\xff\xf1\x50\xff\xf0b") == "ab"
    assert decode(b"a\xff\xff") == "a\ufffd", "a byte of 255, which is no UTF-8"


@pytest.mark.parametrize("exchange", recorded.ALL, ids=lambda exchange: exchange.command[:20])
def test_recorded_exchanges(exchange: Exchange) -> None:
    reply = cut_reply(decode(exchange.raw), exchange.command, PROMPTS)
    assert reply is not None
    assert (reply.output, reply.prompt) == (exchange.output, exchange.prompt)


@pytest.mark.parametrize("exchange", recorded.ALL, ids=lambda exchange: exchange.command[:20])
def test_no_part_of_an_exchange_is_taken_for_the_whole(exchange: Exchange) -> None:
    for end in range(len(exchange.raw)):
        assert cut_reply(decode(exchange.raw[:end]), exchange.command, PROMPTS) is None, exchange.raw[:end]


@given(pieces=st.sampled_from(recorded.ALL).flatmap(lambda e: st.tuples(st.just(e), cut_somewhere(e))))
def test_packets_may_be_cut_anywhere(pieces: tuple[Exchange, list[bytes]]) -> None:
    exchange, packets = pieces
    reply = cut_reply(decode(*packets), exchange.command, PROMPTS)
    assert reply is not None
    assert reply.output == exchange.output


@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_bytes_in_any_pieces_give_the_same_text(data: bytes, place: int) -> None:
    assert decode(data[:place], data[place:]) == decode(data)


def test_a_stale_prompt_does_not_end_a_command() -> None:
    assert cut_reply("(f746) ", "cpu PC", PROMPTS) is None
    assert cut_reply("(f746) cpu PC", "cpu PC", PROMPTS) is None


def test_output_that_closes_a_bracket_is_no_prompt() -> None:
    assert cut_reply("peripherals\n sysbus (SystemBus) ", "peripherals", PROMPTS) is None


def test_without_an_echo_a_prompt_counts_after_silence_only() -> None:
    assert cut_reply("0x8000200\n(f746) ", "cpu PC", PROMPTS) is None
    reply = cut_reply("0x8000200\n(f746) ", "cpu PC", PROMPTS, quiet=True)
    assert reply is not None
    assert reply.output == "0x8000200"


def test_line_ends_of_any_order_are_one() -> None:
    assert clean("a\r\r\nb\n\rc\r\n\rd\re") == "a\nb\nc\nd\ne"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x0000000001EE6280", 0x1EE6280),
        (" 0x8000200\n", 0x8000200),
        ("17", 17),
        ("-3", -3),
        ("True", None),
        ("", None),
    ],
)
def test_integers(text: str, value: int | None) -> None:
    assert integer(text) == value
