"""The channel over a serial port, tried on a pty whose other end the test holds."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Iterator

import pytest
from serial import SerialException

from hil.errors import BoardError
from hil.probe import channel as channels
from hil.probe.channel import SerialChannel
from hil.wire.protocol import BOOT_BAUD
from hil.wire.transport import AdjustableRate, Channel

LONG_S = 30.0


class Line:
    """A pty: `name` is the port, `master` the board's side."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)

    def unplug(self) -> None:
        for end in (self.master, self._slave):
            os.close(end)
        self.master = self._slave = -1


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    if line.master >= 0:
        line.unplug()


@pytest.fixture
def channel(line: Line) -> Iterator[SerialChannel]:
    channel = SerialChannel(line.name)
    yield channel
    channel.close()


def test_it_is_a_channel_with_a_rate_to_set(channel: SerialChannel) -> None:
    checked: Channel = channel
    assert isinstance(checked, AdjustableRate)
    assert channel.byte_s() == pytest.approx(10 / BOOT_BAUD)
    channel.set_baud(230_400)
    assert channel.byte_s() == pytest.approx(10 / 230_400)


def test_bytes_go_both_ways_unchanged(line: Line, channel: SerialChannel) -> None:
    everything = bytes(range(256))
    channel.write(everything)
    assert os.read(line.master, 1000) == everything
    os.write(line.master, everything)
    got = b""
    while len(got) < 256:
        got += channel.read(channel.now_s() + LONG_S)
    assert got == everything


def test_reading_ends_with_its_time_and_not_before(channel: SerialChannel) -> None:
    until_s = channel.now_s() + 0.05
    assert channel.read(until_s) == b""
    assert channel.now_s() >= until_s
    assert channel.read(channel.now_s() - 1) == b"", "a time that has passed is no error"


def test_bytes_that_are_there_are_read_when_the_time_has_passed(line: Line, channel: SerialChannel) -> None:
    os.write(line.master, b"late")
    assert channel.read(channel.now_s() + LONG_S) + channel.read(0.0) == b"late"


def test_a_message_with_a_time_does_not_leave_before_it(line: Line, channel: SerialChannel) -> None:
    at_s = channel.now_s() + 0.03
    channel.write(b"x", at_s)
    assert time.monotonic() >= at_s


def test_what_came_before_can_be_forgotten(line: Line, channel: SerialChannel) -> None:
    os.write(line.master, b"old")
    channel.discard()
    os.write(line.master, b"new")
    assert channel.read(channel.now_s() + LONG_S) == b"new"


def test_an_unplugged_cable_is_told_at_once_and_every_time(line: Line, channel: SerialChannel) -> None:
    line.unplug()
    began_s = channel.now_s()
    with pytest.raises(BoardError, match="is gone") as caught:
        channel.read(began_s + LONG_S)
    assert channel.now_s() - began_s < LONG_S / 2
    assert channel.lost is caught.value
    for call in (lambda: channel.write(b"x"), lambda: channel.read(0.0), lambda: channel.set_baud(9600)):
        with pytest.raises(BoardError, match="is gone"):
            call()


def test_writing_to_an_unplugged_cable_is_told(line: Line, channel: SerialChannel) -> None:
    line.unplug()
    with pytest.raises(BoardError, match="is gone"):
        channel.write(b"x")


def test_a_port_that_takes_nothing_is_given_up(
    channel: SerialChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel._port.write_timeout = 0.05
    with pytest.raises(BoardError, match="is gone: Write timeout"):
        channel.write(b"x" * (1 << 20))


def test_a_port_has_one_user(line: Line, channel: SerialChannel) -> None:
    with pytest.raises(BoardError, match="is in use"):
        SerialChannel(line.name)
    channel.close()
    SerialChannel(line.name).close()


def test_a_port_that_is_not_there_is_named() -> None:
    with pytest.raises(BoardError, match="cannot open the serial port /dev/ttyNONE"):
        SerialChannel("/dev/ttyNONE")


def test_a_port_that_is_not_permitted_names_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise SerialException("[Errno 13] could not open port /dev/ttyACM0: [Errno 13] Permission denied")

    monkeypatch.setattr(channels.serial, "Serial", refuse)
    with pytest.raises(BoardError, match="no permission") as caught:
        SerialChannel("/dev/ttyACM0")
    assert "dialout" in caught.value.hint
