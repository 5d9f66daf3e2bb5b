"""The flash algorithm that pyOCD loads, run on the emulated core."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.deploy.toolchain import find_compiler
from hil.errors import BoardError
from hil.probe import build_algorithm
from hil.probe.flash_algorithm import PAGE_BUFFERS, sectors
from hil.twin import Twin
from hil_tests.twin.firmware import have_compiler
from hil_tests.twin.flash_loader import ERASE, PROGRAM, VERIFY, Loader

pytestmark = pytest.mark.twin

SECTOR_1, SECTOR_2 = 0x0800_8000, 0x0801_0000
FLASH_CR, FLASH_CR_LOCK = 0x4002_3C10, 1 << 31


@pytest.fixture
def loader() -> Loader:
    return Loader(Twin())


def test_random_data_is_erased_programmed_and_verified(loader: Loader) -> None:
    data, twin = random.Random(1).randbytes(9000), loader.twin
    twin.write(SECTOR_1, bytes(32 * 1024))
    assert loader.erase(SECTOR_1) == 0
    assert loader.program(SECTOR_1, data) == 0
    assert twin.read(SECTOR_1, 32 * 1024) == data + b"\xff" * (32 * 1024 - len(data))
    twin.write(PAGE_BUFFERS[0], data[:4096])
    assert loader.call("Verify", SECTOR_1, 4096, PAGE_BUFFERS[0]) == SECTOR_1 + 4096
    twin.write(SECTOR_1 + 1234, bytes([data[1234] ^ 1]))
    assert loader.call("Verify", SECTOR_1, 4096, PAGE_BUFFERS[0]) == SECTOR_1 + 1234


@settings(max_examples=30, deadline=None)
@given(place=st.integers(0, 2000), data=st.binary(min_size=1, max_size=300), skew=st.integers(0, 3))
def test_any_length_from_any_buffer_is_programmed(place: int, data: bytes, skew: int) -> None:
    loader = Loader(Twin())
    address = SECTOR_1 + 4 * place
    loader.call("Init", 0, 0, PROGRAM)
    loader.twin.write(PAGE_BUFFERS[0] + skew, data)
    assert loader.call("ProgramPage", address, len(data), PAGE_BUFFERS[0] + skew) == 0
    assert loader.twin.read(address - 4, len(data) + 8) == b"\xff" * 4 + data + b"\xff" * 4
    loader.twin.close()


@pytest.mark.parametrize("number", range(8))
def test_each_sector_is_erased_by_any_address_in_it(loader: Loader, number: int) -> None:
    start, size = sectors()[number]
    for first, length in sectors():
        loader.twin.write(first, bytes(length))
    assert loader.erase(start + size // 2 + 1) == 0
    for first, length in sectors():
        assert loader.twin.read(first, length) == (b"\xff" if first == start else b"\0") * length


def test_the_whole_chip_is_erased(loader: Loader) -> None:
    loader.twin.write(0x0800_0000, bytes(1 << 20))
    loader.call("Init", 0, 0, ERASE)
    assert loader.call("EraseChip") == 0
    assert loader.twin.read(0x0800_0000, 1 << 20) == b"\xff" * (1 << 20)


def test_a_protected_sector_is_an_error_and_the_next_operation_is_not(loader: Loader) -> None:
    options = loader.twin._machine.flash.options
    options.optcr &= ~(1 << (16 + 1))
    assert loader.erase(SECTOR_1) == 1
    assert loader.program(SECTOR_1, b"hil!") == 1
    assert loader.twin.read(SECTOR_1, 4) == b"\xff" * 4
    loader.call("Init", 0, 0, ERASE)
    assert loader.call("EraseChip") == 1
    assert loader.erase(SECTOR_2) == 0
    assert loader.program(SECTOR_2, b"hil!") == 0


def test_addresses_outside_flash_and_beside_a_word_are_refused(loader: Loader) -> None:
    loader.call("Init", 0, 0, PROGRAM)
    assert loader.call("EraseSector", 0x0810_0000) == 1
    assert loader.call("EraseSector", 0x0020_0000) == 1
    assert loader.call("ProgramPage", 0x0800_0002, 4, PAGE_BUFFERS[0]) == 1
    assert loader.call("ProgramPage", 0x080F_FFFC, 8, PAGE_BUFFERS[0]) == 1
    assert loader.call("ProgramPage", 0x0800_0000, 0xFFFF_FFFF, PAGE_BUFFERS[0]) == 1


def test_the_controller_is_unlocked_only_between_init_and_uninit(loader: Loader) -> None:
    flash = loader.twin._machine.flash
    assert loader.call("Init", 0x0800_0000, 16_000_000, PROGRAM) == 0
    assert not flash.read(0x10) & FLASH_CR_LOCK
    assert loader.call("Init", 0x0800_0000, 16_000_000, VERIFY) == 0
    assert loader.call("UnInit", VERIFY) == 0
    assert flash.read(0x10) & FLASH_CR_LOCK


def test_a_running_watchdog_is_fed_through_an_erase(loader: Loader) -> None:
    iwdg = next(p for p in loader.twin.peripherals.all if p.name == "IWDG")
    for register, value in ((0x00, 0x5555), (0x04, 0), (0x08, 199), (0x00, 0xCCCC)):
        iwdg.write(register, value)
    assert loader.erase(0x0808_0000) == 0
    assert loader.twin.now_s > 1.0


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_power_lost_while_programming_is_recovered_by_flashing_again(loader: Loader, share: float) -> None:
    data, twin = random.Random(2).randbytes(2048), loader.twin
    assert loader.erase(SECTOR_1) == 0
    loader.call("Init", 0, 0, PROGRAM)
    twin.write(PAGE_BUFFERS[0], data)
    with pytest.raises(BoardError, match="did not return"):
        twin.call(
            loader.address("ProgramPage"),
            SECTOR_1,
            2048,
            PAGE_BUFFERS[0],
            budget_instructions=int(20_000 * share),
        )
    while not twin._machine.flash.busy:
        twin.run(twin.now_s + 1e-6)
    twin.power_off()
    torn = twin.read(SECTOR_1, 2048)
    assert torn != data
    done = next(at for at in range(0, 2048, 4) if torn[at : at + 4] != data[at : at + 4])
    word, wanted = torn[done : done + 4], data[done : done + 4]
    assert all(a & b == b for a, b in zip(word, wanted, strict=True))
    assert torn[done + 4 :] == b"\xff" * (2048 - done - 4)
    twin.power_on()
    again = Loader(twin)
    assert again.erase(SECTOR_1) == 0
    assert again.program(SECTOR_1, data) == 0
    assert twin.read(SECTOR_1, 2048) == data


@pytest.mark.skipif(not have_compiler(), reason="arm-none-eabi-gcc is not on PATH")
@pytest.mark.parametrize("load_address", [0x2000_0000, 0x2001_2340])
def test_the_source_behaves_as_the_committed_code_wherever_it_is_loaded(load_address: int) -> None:
    fresh = build_algorithm.build(find_compiler())
    data = random.Random(3).randbytes(5000)
    seen = []
    for algorithm, address in ((None, 0x2000_0000), (fresh, load_address)):
        loader = Loader(Twin(), algorithm, address)
        results = [loader.erase(SECTOR_1), loader.program(SECTOR_1, data), loader.program(SECTOR_1 + 2, data)]
        results += [loader.call("EraseSector", 0), loader.call("EraseSector", SECTOR_2)]
        seen.append((results, loader.twin.read(0x0800_0000, 1 << 20)))
    assert seen[0] == seen[1]
