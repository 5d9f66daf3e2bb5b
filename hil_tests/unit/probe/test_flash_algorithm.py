"""The flash algorithm as data: it belongs to its source, and pyOCD takes it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from hil.deploy.toolchain import find_compiler
from hil.errors import BuildError, ToolchainError
from hil.probe import build_algorithm
from hil.probe.flash_algorithm import ANALYZER_ADDRESS, flash_algorithm, load, sectors

DTCM = range(0x2000_0000, 0x2001_0000)


def test_the_committed_code_was_compiled_from_the_committed_source() -> None:
    assert load()["source_sha256"] == build_algorithm.source_sha256(), "run tools/flash-algorithm"


def test_a_probe_finds_a_breakpoint_where_functions_return_to() -> None:
    algorithm = flash_algorithm()
    assert algorithm["instructions"][0] == 0xE7FD_BE00


def test_entry_points_are_thumb_addresses_inside_the_code() -> None:
    algorithm = flash_algorithm()
    end = algorithm["load_address"] + 4 * len(algorithm["instructions"])
    names = ("pc_init", "pc_unInit", "pc_program_page", "pc_erase_sector", "pc_eraseAll")
    for name in names:
        assert algorithm[name] % 2 == 1
        assert algorithm["load_address"] + 4 <= algorithm[name] < end
    assert len({algorithm[name] for name in names}) == len(names)


def test_code_stack_buffers_and_analyzer_lie_apart_in_dtcm() -> None:
    algorithm = flash_algorithm()
    code_end = algorithm["load_address"] + 4 * len(algorithm["instructions"])
    page = algorithm["page_size"]
    areas = [
        (algorithm["load_address"], code_end),
        (algorithm["end_stack"], algorithm["begin_stack"]),
        *((buffer, buffer + page) for buffer in algorithm["page_buffers"]),
        (ANALYZER_ADDRESS, ANALYZER_ADDRESS + 0x600),
    ]
    assert all(start in DTCM and end - 1 in DTCM for start, end in areas)
    assert all(first[1] <= second[0] for first, second in pairwise(areas))


def test_sectors_follow_each_other_and_fill_a_megabyte() -> None:
    found = sectors()
    assert [size // 1024 for _, size in found] == [32, 32, 32, 32, 128, 256, 256, 256]
    assert all(start + size == following for (start, size), (following, _) in pairwise(found))
    assert found[0][0] == 0x0800_0000
    assert sum(size for _, size in found) == 1 << 20


def test_pyocd_takes_it() -> None:
    flash = pytest.importorskip("pyocd.flash.flash")
    taken = flash.Flash(SimpleNamespace(), flash_algorithm())
    assert taken.is_valid
    assert taken.is_erase_all_supported
    assert taken.is_double_buffering_supported
    assert taken.min_program_length == 4


@pytest.mark.parametrize("line", ["int kept = 3;", "int kept;", 'const char *name = "hil";'])
def test_variables_are_refused_as_nobody_would_load_them(tmp_path: Path, line: str) -> None:
    try:
        compiler = find_compiler()
    except ToolchainError:
        pytest.skip("arm-none-eabi-gcc is not there")
    for name in build_algorithm.SOURCES:
        (tmp_path / name).write_bytes((build_algorithm.FOLDER / name).read_bytes())
    with (tmp_path / "flash_algorithm.c").open("a") as source:
        source.write(line + "\n")
    with pytest.raises(BuildError, match="section"):
        build_algorithm.build(compiler, tmp_path)
