"""Supply lost and found: what survives, and what a cut operation leaves in flash."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import BoardError
from hil.twin import Image, Twin
from hil.twin.flash_array import FlashArray
from hil.twin.flash_file import load_flash, save_flash
from hil.twin.memory import FLASH_BASE, FLASH_BYTES, Memory
from hil_tests.twin.conftest import Boot, words
from hil_tests.twin.firmware import FLASH

SECTOR_6 = 0x0808_0000
RAM = 0x2001_0000


def test_a_blank_chip_reads_ones_and_its_memory_can_be_used() -> None:
    twin = Twin()
    assert twin.read(FLASH_BASE, 8) == b"\xff" * 8
    twin.write(FLASH_BASE, b"hil!")
    twin.write(RAM, b"RAM!")
    assert twin.read(FLASH_BASE, 4) + twin.read(RAM, 4) == b"hil!RAM!"
    assert Image.blank().describe(FLASH_BASE) == "0x08000000"


def test_flash_survives_without_supply_and_ram_does_not() -> None:
    twin = Twin(seed=5)
    twin.write(FLASH_BASE, bytes(range(256)))
    twin.write(RAM, bytes(256))
    twin.power_off()
    assert twin.read(FLASH_BASE, 256) == bytes(range(256))
    assert twin.read(RAM, 256) != bytes(256)


def test_what_ram_holds_after_power_on_follows_the_seed() -> None:
    def lost(seed: int) -> bytes:
        twin = Twin(seed=seed)
        twin.power_off()
        return twin.read(0x2000_0000, 320 * 1024)

    assert lost(1) == lost(1)
    assert lost(1) != lost(2)


def test_without_supply_nothing_runs() -> None:
    twin = Twin()
    twin.power_off()
    for forbidden in (lambda: twin.run(1.0), lambda: twin.call(FLASH_BASE), twin.reset):
        with pytest.raises(BoardError, match="no power"):
            forbidden()


@pytest.mark.parametrize("vbat", [False, True])
def test_a_battery_keeps_the_backup_domain(vbat: bool) -> None:
    twin = Twin()
    rcc = twin.peripherals.rcc
    rcc.write(0x70, 1 << 8)
    twin.power_off(vbat=vbat)
    twin.power_on()
    assert bool(rcc.read(0x70) >> 8 & 1) == vbat
    assert rcc.read(0x74) >> 27 & 1


@pytest.mark.twin
def test_firmware_starts_over_with_the_cause_power_on(boot: Boot) -> None:
    twin = boot("void main(void) { out[0] = RCC_CSR >> 25 & 0x7F; out[1]++; RCC_CSR |= 1 << 24; }")
    twin.run(0.001)
    first = words(twin)[:2]
    twin.power_off()
    twin.power_on()
    twin.run(twin.now_s + 0.001)
    assert words(twin)[:2] == first == [7, 1]


CUT = """
    IN_RAM void go(void) { unlock(); start_erase(6); ready(); out[0] = 1; for (;;) {} }
    void main(void) { go(); }
"""


@pytest.mark.twin
@pytest.mark.parametrize("by_reset", [False, True])
def test_an_erase_that_is_cut_short_leaves_words_that_are_neither(boot: Boot, by_reset: bool) -> None:
    twin = boot(FLASH + CUT, seed=3)
    twin.write(SECTOR_6, bytes(range(256)) * 1024)
    twin.run(0.5)
    if by_reset:
        twin.reset()
    else:
        twin.power_off()
    old = np.frombuffer(bytes(range(256)) * 1024, "<u4")
    left = np.frombuffer(twin.read(SECTOR_6, 256 * 1024), "<u4")
    same, erased = left == old, left == 0xFFFF_FFFF
    assert 0.3 < same.mean() < 0.37
    assert 0.3 < erased.mean() < 0.37
    assert twin.read(SECTOR_6 - 4, 4) == b"\xff" * 4
    assert twin.read(SECTOR_6 + 256 * 1024, 4) == b"\xff" * 4


@pytest.mark.twin
def test_the_same_cut_leaves_the_same_and_a_finished_erase_is_whole(boot: Boot) -> None:
    def after(until_s: float, seed: int) -> bytes:
        twin = boot(FLASH + CUT, seed=seed)
        twin.write(SECTOR_6, bytes(4096))
        twin.run(until_s)
        twin.power_off()
        return twin.read(SECTOR_6, 4096)

    assert after(0.5, 1) == after(0.5, 1)
    assert after(0.5, 1) != after(0.5, 2)
    assert after(1.01, 1) == b"\xff" * 4096


@given(old=st.binary(min_size=4, max_size=4), data=st.binary(min_size=4, max_size=4), seed=st.integers(0, 99))
def test_a_cut_word_has_some_of_the_bits_that_had_to_fall(old: bytes, data: bytes, seed: int) -> None:
    memory = Memory()
    array = FlashArray(memory, seed)
    memory.write(SECTOR_6, old)
    array.interrupt(array.program(SECTOR_6, data))
    before, wanted, left = (int.from_bytes(b, "little") for b in (old, data, memory.read(SECTOR_6, 4)))
    assert left & ~before == 0
    assert before & wanted & ~left == 0


def test_a_cut_word_falls_between_all_and_nothing() -> None:
    memory = Memory()
    array = FlashArray(memory, 1)
    fallen = []
    for at in range(0, 4000, 4):
        array.interrupt(array.program(SECTOR_6 + at, bytes(4)))
        fallen.append(32 - int.from_bytes(memory.read(SECTOR_6 + at, 4), "little").bit_count())
    assert 15 < sum(fallen) / len(fallen) < 17
    assert len(set(fallen)) > 10


def test_a_file_keeps_the_flash_between_twins(tmp_path: Path) -> None:
    path = tmp_path / "chip" / "flash.bin"
    twin = Twin()
    load_flash(twin, path)
    twin.write(SECTOR_6, b"kept")
    save_flash(twin, path)
    assert path.stat().st_size == FLASH_BYTES
    assert [file.name for file in path.parent.iterdir()] == ["flash.bin"]
    other = Twin()
    load_flash(other, path)
    assert other.read(SECTOR_6, 4) == b"kept"
    assert other.read(FLASH_BASE, FLASH_BYTES) == twin.read(FLASH_BASE, FLASH_BYTES)


def test_a_file_of_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    path.write_bytes(b"short")
    with pytest.raises(BoardError, match="holds 5 bytes"):
        load_flash(Twin(), path)


def test_a_file_that_cannot_be_replaced_stays_and_leaves_no_debris(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    path.mkdir()
    with pytest.raises(BoardError, match="cannot write"):
        save_flash(Twin(), path)
    assert [file.name for file in tmp_path.iterdir()] == ["flash.bin"]
