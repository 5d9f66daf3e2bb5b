"""What the log gives away about the firmware."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import BoardError
from hil.renode.log import LogWatch
from hil.twin.image import Function, Image

IMAGE = Image(None, (), 0x0800_0000, functions=(Function(0x0800_0200, 0x100, "hil_infer"),))
HARMLESS = (
    "12:00:00.0000 [INFO] sysbus: Loaded SVD\n"
    "[WARNING] sysbus: [cpu: 0x8000210] WriteDoubleWord to non existing peripheral at 0x40013C00"
    ", value 0x1.\n"
    "12:00:00.0002 [WARNING] sysbus: ReadDoubleWord from non existing peripheral at 0x0.\n"
    "12:00:00.0003 [WARNING] rcc: Unhandled write to offset 0x90.\n"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_text(HARMLESS)
    return path


def add(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "[WARNING] sysbus: [cpu: 0x8000210] WriteDoubleWord to non existing peripheral "
            "at 0x1FFFFFFC, value 0x7.",
            r"wrote 0x1ffffffc, where the STM32F746 has no memory, at 0x08000210 \(hil_infer\+0x10\)",
        ),
        (
            "[WARNING] f746/sysbus: [cpu: 0x8000210] (tag: 'X') ReadByte from non existing peripheral "
            "at 0x20050000, returning 0x0.",
            "read 0x20050000",
        ),
        (
            "[ERROR] cpu: CPU abort [PC=0x8000204]: Trying to execute code outside RAM or ROM at 0x40000000.",
            r"stopped at 0x08000204 \(hil_infer\+0x4\): Trying to execute code outside RAM or ROM",
        ),
    ],
)
def test_crashes(log: Path, line: str, told: str) -> None:
    watch = LogWatch(log, IMAGE)
    watch.check()
    add(log, line[:40])
    watch.check()
    add(log, line[40:] + "\r\n")
    for _ in range(2):
        with pytest.raises(BoardError, match=told):
            watch.check()


def test_no_log_yet(tmp_path: Path) -> None:
    LogWatch(tmp_path / "none", IMAGE).check()
