"""Every constant of the protocol arrives in C with its value."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import zlib
from enum import IntEnum
from pathlib import Path

import pytest

from hil.wire import header, protocol
from hil.wire.messages import MESSAGES


def test_every_enumeration_is_rendered() -> None:
    enums = {
        kind for _, kind in inspect.getmembers(protocol, inspect.isclass)
        if issubclass(kind, IntEnum) and kind is not IntEnum
    }  # fmt: skip
    assert set(header.PREFIXES) == enums


def test_the_table_is_that_of_zlib() -> None:
    entries = re.findall(r"0x([0-9A-F]{8})U,", header.render())
    assert len(entries) == 256
    for byte, entry in enumerate(entries):
        # zlib inverts before and after: of one byte 0xFF ^ b, that leaves the table's entry of b.
        assert zlib.crc32(bytes([0xFF ^ byte])) == int(entry, 16) ^ 0xFF00_0000


def test_every_number_and_layout_is_rendered() -> None:
    names = header.constants()
    assert {f"HIL_{name}" for name in vars(protocol) if name.isupper()} <= set(names)
    assert {f"HIL_{kind.name}_LAYOUT_BYTES" for kind in MESSAGES} <= set(names)
    assert names["HIL_BODY_MAX"] == protocol.BODY_MAX
    assert names["HIL_CAPABILITY_LAYOUT_BYTES"] == 92


def test_no_two_names_collide() -> None:
    names = [*header.constants(), *(name for kind in header.PREFIXES for name in header.members(kind))]
    assert len(names) == len(set(names))


def test_an_unchanged_header_keeps_its_time(tmp_path: Path) -> None:
    path = header.write(tmp_path / "made")
    assert path.name == header.FILE_NAME
    first = path.stat().st_mtime_ns
    assert header.write(tmp_path / "made").stat().st_mtime_ns == first


def test_c_sees_every_value(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for this machine")
    header.write(tmp_path)
    values = dict(header.constants())
    for kind in header.PREFIXES:
        values |= header.members(kind)
    lines = [f'_Static_assert({name} == {value}, "{name}");' for name, value in values.items()]
    source = tmp_path / "check.c"
    source.write_text(f'#include "{header.FILE_NAME}"\n#include "{header.FILE_NAME}"\n' + "\n".join(lines))
    command = [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", str(source)]
    subprocess.run(command, check=True)
