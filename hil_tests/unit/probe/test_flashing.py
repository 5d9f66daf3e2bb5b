"""Only sectors that differ are erased and programmed, and any half-written flash is put right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import BoardError
from hil.probe.flashing import flash, pieces
from hil.twin.image import Segment
from hil_tests.unit.probe.fake_debugger import BASE, F746, KIB, FakeDebugger, FakeFlash, sectors_of

SMALL = sectors_of(8, 8, 16, 32)


def segment(offset: int, data: bytes) -> Segment:
    return Segment(BASE + offset, BASE + offset, data)


@st.composite
def images(draw: st.DrawFn) -> list[Segment]:
    """Segments in any order that neither overlap nor leave a flash of 64 bytes."""
    cuts = sorted(draw(st.sets(st.integers(0, 64), min_size=2, max_size=8)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    made = [segment(at, draw(st.binary(min_size=end - at, max_size=end - at))) for at, end in spans]
    return draw(st.permutations(made))


def holds(memory: bytes, image: list[Segment]) -> bool:
    return all(memory[s.load_address - BASE :].startswith(s.data) for s in image)


@given(images(), st.binary(max_size=64))
def test_flash_holds_the_image_whatever_it_held_before(image: list[Segment], former: bytes) -> None:
    chip = FakeFlash(SMALL, former)
    done = flash(FakeDebugger(chip), image)
    assert holds(chip.memory, image)
    covered = sum(len(piece.data) for piece in pieces(image, SMALL))
    assert done.bytes_written + done.bytes_kept == covered


@given(images(), st.binary(max_size=64))
def test_a_second_time_nothing_is_erased(image: list[Segment], former: bytes) -> None:
    chip = FakeFlash(SMALL, former)
    flash(FakeDebugger(chip), image)
    again = FakeDebugger(chip)
    done = flash(again, image)
    assert (again.steps, done.bytes_written, done.sectors_erased) == (0, 0, 0)


@given(images(), st.binary(max_size=64), st.integers(0, 20))
def test_power_lost_at_any_step_is_put_right_by_the_next_call(
    image: list[Segment], former: bytes, fails_at: int
) -> None:
    chip = FakeFlash(SMALL, former)
    needed = FakeDebugger(FakeFlash(SMALL, former))
    flash(needed, image)
    if fails_at < needed.steps:
        with pytest.raises(BoardError, match="lost its board"):
            flash(FakeDebugger(chip, fails_at=fails_at), image)
    flash(FakeDebugger(chip), image)
    assert holds(chip.memory, image)


@given(images(), images())
def test_only_sectors_in_which_a_byte_of_the_image_differs_are_touched(
    former: list[Segment], image: list[Segment]
) -> None:
    chip = FakeFlash(SMALL)
    flash(FakeDebugger(chip), former)
    before = bytes(chip.memory)
    debugger = FakeDebugger(chip)
    flash(debugger, image)
    differing = [
        piece.sector.address
        for piece in pieces(image, SMALL)
        if before[piece.address - BASE :][: len(piece.data)] != piece.data
    ]
    assert debugger.erased == differing


@given(images())
def test_pieces_cover_the_image_and_stay_within_their_sectors(image: list[Segment]) -> None:
    flat = bytearray(b"\xff" * 64)
    for part in image:
        flat[part.load_address - BASE : part.load_address - BASE + len(part.data)] = part.data
    for piece in pieces(image, SMALL):
        assert piece.sector.address <= piece.address
        assert piece.address + len(piece.data) <= piece.sector.end
        assert piece.data == flat[piece.address - BASE : piece.address - BASE + len(piece.data)]
    assert sum(len(piece.data) for piece in pieces(image, SMALL)) >= sum(len(part.data) for part in image)


def test_the_vector_table_is_written_last_so_that_a_torn_image_does_not_start() -> None:
    chip = FakeFlash()
    image = [segment(0, bytes(range(256)) * 4 * 100)]
    debugger = FakeDebugger(chip)
    flash(debugger, image)
    assert debugger.programmed == [BASE + offset * KIB for offset in (96, 64, 32, 0)]
    torn = FakeFlash()
    with pytest.raises(BoardError):
        flash(FakeDebugger(torn, fails_at=debugger.steps - 1), image)
    assert torn.memory[:8] == b"\xff" * 8, "no stack pointer and no entry: the core does not run"


def test_a_changed_byte_costs_one_sector_of_eight() -> None:
    chip = FakeFlash()
    content = bytearray(700 * KIB)
    flash(FakeDebugger(chip), [segment(0, bytes(content))])
    content[200 * KIB] ^= 1
    debugger = FakeDebugger(chip)
    done = flash(debugger, [segment(0, bytes(content))])
    assert debugger.erased == [F746[4].address]
    assert (done.bytes_written, done.bytes_kept) == (128 * KIB, 572 * KIB)


def test_initialised_variables_are_stored_where_the_programmer_puts_them() -> None:
    chip = FakeFlash()
    flash(FakeDebugger(chip), [segment(0, b"code"), Segment(BASE + 4, 0x2001_0000, b"data"), segment(8, b"")])
    assert chip.memory[:8] == b"codedata"


@pytest.mark.parametrize("address", [0x2000_0000, BASE - 1, BASE + 1024 * KIB - 3])
def test_bytes_outside_the_flash_are_refused_before_anything_is_erased(address: int) -> None:
    debugger = FakeDebugger(FakeFlash())
    with pytest.raises(BoardError, match="outside the flash"):
        flash(debugger, [segment(0, b"code"), Segment(address, address, b"data")])
    assert debugger.steps == 0


def test_a_cell_that_does_not_take_its_value_is_named() -> None:
    debugger = FakeDebugger(FakeFlash(), bad_at=BASE + 5)
    with pytest.raises(BoardError, match=r"flash has 0x00 at 0x08000005 instead of 0x01"):
        flash(debugger, [segment(0, b"\x01" * 16)])
