"""The Robot test speaks the protocol of this checkout."""

from __future__ import annotations

import re
from pathlib import Path

from hil.renode import platform
from hil.wire import frames
from hil.wire.frames import Frame
from hil.wire.protocol import PROTOCOL_VERSION, FrameType
from hil.wire.to_device import Hello

ROBOT = (Path(__file__).parents[2] / "renode" / "boot.robot").read_text()


def variable(name: str) -> bytes:
    found = re.search(rf"^[$@]{{{name}}} +(.*)$", ROBOT, re.MULTILINE)
    assert found is not None
    return bytes(int(word, 16) for word in found.group(1).split())


def test_its_frames_are_the_protocols() -> None:
    assert variable("HELLO") == frames.encode(Frame(FrameType.HELLO, 1, Hello(PROTOCOL_VERSION).pack()))
    assert variable("ACKNOWLEDGED") == frames.encode(Frame(FrameType.ACK, 1))
    assert variable("CAPABILITY") == frames.encode(Frame(FrameType.CAPABILITY, 1, b"\x01"))[:5]


def test_it_loads_the_files_of_the_board() -> None:
    for path in (platform.PLATFORM, platform.EXTRAS):
        assert f"${{PLATFORM}}/{path.name}" in ROBOT
