"""What hil asks of pyOCD, as far as it can be seen without a probe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyocd.core import exceptions
from pyocd.core.options import OPTIONS_INFO

from hil.errors import BoardError
from hil.probe.pyocd_debugger import CONNECT_MODES, _options, firmware_of, pages, told
from hil.probe.targets import ChosenTarget


@given(st.integers(0, 100), st.binary(max_size=200), st.sampled_from([4, 16, 64]))
def test_pages_are_whole_and_hold_the_data_and_nothing_else(address: int, data: bytes, size: int) -> None:
    memory = bytearray(b"\xff" * 400)
    found = list(pages(address, data, size))
    assert found == sorted(found, reverse=True), "the vector table comes last"
    for at, page in found:
        assert at % size == 0
        assert len(page) == size
        assert page != [0xFF] * size, "an erased page costs no time"
        memory[at : at + size] = bytes(page)
    expected = bytearray(b"\xff" * 400)
    expected[address : address + len(data)] = data
    assert memory == expected


def test_every_option_is_one_that_pyocd_has() -> None:
    for mode in CONNECT_MODES:
        assert set(_options(ChosenTarget("x", "own"), mode, 1.0)) <= set(OPTIONS_INFO)


def test_a_sleeping_or_crashed_core_is_caught_under_reset_first() -> None:
    assert CONNECT_MODES[0] == "under-reset"


def test_a_protected_chip_is_never_erased_unasked() -> None:
    assert _options(ChosenTarget("x", "own"), "halt", 1.0)["auto_unlock"] is False


def test_an_emulated_board_gets_longer_limits() -> None:
    name = "flash.timeout.erase_sector"
    slow, fast = (_options(ChosenTarget("x", "own"), "halt", slowness)[name] for slowness in (8.0, 1.0))
    assert slow == 8 * fast


@pytest.mark.parametrize(
    "error", [exceptions.ProbeError("busy"), exceptions.TransferFaultError(), OSError(19, "No such device")]
)
def test_errors_of_pyocd_and_of_usb_say_what_could_not_be_done(error: Exception) -> None:
    with (
        pytest.raises(BoardError, match=r"cannot frobnicate: .+") as caught,
        told("cannot frobnicate", "look"),
    ):
        raise error
    assert caught.value.hint == "look"
    assert caught.value.__cause__ is error


def test_the_probes_firmware_is_told_where_it_is_known() -> None:
    class Link:
        version_str = "V2J43M28"

    class Stlink:
        _link = Link()

    assert firmware_of(Stlink()) == "V2J43M28"
    assert firmware_of(object()) is None
