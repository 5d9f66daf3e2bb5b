"""Virtual time in steps: exact where the session asks for it, few, and the same every time."""

from __future__ import annotations

import pytest

from hil.errors import BoardError
from hil.renode import channel as module
from hil.renode.channel import RenodeChannel
from hil.renode.pace import FINE_US, Pace
from hil.wire import frames
from hil.wire.frames import Frame
from hil.wire.protocol import FrameType
from hil.wire.to_device import Run

ACK = frames.encode(Frame(FrameType.ACK, 1))
RUN = frames.encode(Frame(FrameType.RUN, 2, Run(0, 0).pack()))


class Device:
    """Sends `answer` a set time after the first byte of each write has landed."""

    def __init__(self, answer: bytes = ACK, delay_us: int = 600) -> None:
        self.answer, self.delay_us = answer, delay_us
        self.now_us = 0
        self.steps: list[int] = []
        self.landed: list[tuple[int, bytes]] = []
        self._pending = b""
        self._due: list[int] = []

    def send(self, data: bytes) -> None:
        self._pending += data

    def run(self, microseconds: int) -> None:
        assert microseconds > 0
        self.steps.append(microseconds)
        self.now_us += microseconds
        if self._pending:
            lands = self.now_us - microseconds + min(microseconds, 100)
            self.landed.append((lands, self._pending))
            self._due.append(lands + self.delay_us)
            self._pending = b""

    def take(self) -> bytes:
        due = [at for at in self._due if at <= self.now_us]
        self._due = [at for at in self._due if at > self.now_us]
        return self.answer * len(due)

    def channel(self) -> RenodeChannel:
        return RenodeChannel(self, self.run, lambda: None, lambda: "0x08000200 (main+0x0)")


def test_a_timed_write_lands_to_the_microsecond() -> None:
    device = Device()
    channel = device.channel()
    channel.write(RUN, 0.012345)
    assert device.landed == [(12_345, RUN)]
    assert channel.now_s() == 0.012345
    assert channel.byte_s() == 0.0


def test_a_write_without_a_time_lets_none_pass() -> None:
    device = Device()
    channel = device.channel()
    channel.write(RUN)
    channel.write(ACK, 0.0)
    assert device.steps == []
    assert channel.read(0.001) == ACK
    assert device.landed[0][1] == RUN + ACK


def test_read_ends_at_its_limit_exactly() -> None:
    device = Device()
    channel = device.channel()
    assert channel.read(0.0123) == b""
    assert channel.now_s() == 0.0123
    assert channel.read(0.0123) == b""


def test_what_came_during_a_timed_write_is_not_lost() -> None:
    device = Device(delay_us=50)
    channel = device.channel()
    channel.write(RUN)
    channel.write(ACK, 0.002)
    assert channel.read(0.0) == ACK


def test_the_second_time_an_answer_is_expected_when_it_came() -> None:
    device = Device(delay_us=6000)
    channel = device.channel()
    counts, lateness = [], []
    for _ in range(6):
        before = len(device.steps)
        channel.write(RUN)
        assert channel.read(channel.now_s() + 1) == ACK
        counts.append(len(device.steps) - before)
        lateness.append(device.now_us - device.landed[-1][0] - device.delay_us)
        channel.write(ACK)
        device._pending = b""
    assert counts[-1] < counts[0]
    assert lateness[-1] < lateness[0] / 2
    assert lateness[-1] <= 150, "two hundredths of the silence"


def test_the_steps_of_two_runs_are_the_same() -> None:
    def steps() -> list[int]:
        device = Device(delay_us=777)
        channel = device.channel()
        for _ in range(5):
            channel.write(RUN)
            channel.read(channel.now_s() + 1)
        return device.steps

    assert steps() == steps()


def test_firmware_that_never_speaks_is_told_with_its_place() -> None:
    device = Device(answer=b"")
    channel = device.channel()
    with pytest.raises(BoardError, match=r"sent nothing in 2\.\d\d s .* at 0x08000200 \(main"):
        channel.read(10.0)
    assert len(device.steps) < 300


def test_a_slow_host_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WORD_WALL_S", 0.0)
    with pytest.raises(BoardError, match=r"sent nothing in 0\.1\d s"):
        Device(answer=b"").channel().read(10.0)


def test_a_host_that_hardly_gets_to_run_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WORD_WALL_S", 0.0)
    assert Device(answer=b"").channel().read(0.09) == b""


def test_a_crash_is_told_at_once() -> None:
    device = Device()

    def check() -> None:
        raise BoardError("the core stopped", "")

    with pytest.raises(BoardError, match="the core stopped"):
        RenodeChannel(device, device.run, check).read(1.0)
    assert len(device.steps) == 1


def test_a_write_right_after_an_answer_teaches_nothing() -> None:
    pace = Pace()
    pace.wrote(RUN, 0)
    pace.heard(ACK, 600)
    pace.wrote(RUN, 600)
    assert pace.next_us(600) == FINE_US, "another key: the device has spoken"
    pace.heard(ACK, 1200)
    pace.wrote(RUN, 1200)
    assert pace.next_us(1200) == 540
