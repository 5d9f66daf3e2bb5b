"""The serial port that belongs to a probe."""

from __future__ import annotations

import pytest

from hil.errors import BoardError
from hil.probe.found import Probe
from hil.probe.serial_port import Port, match

PROBE = Probe("066BFF303435554157113020", "STM32 STLink")
OTHER = Port("/dev/ttyUSB0", "A10K", "FT232R USB UART")
ITS = Port("/dev/ttyACM1", "066bff303435554157113020", "STM32 STLink")
BARE = Port("/dev/ttyS0")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIL_SERIAL", raising=False)


def test_the_port_has_the_probes_usb_serial_number() -> None:
    assert match(PROBE, [BARE, OTHER, ITS]) == "/dev/ttyACM1"


def test_of_two_ports_of_one_probe_the_first_is_the_boards() -> None:
    second = Port("/dev/ttyACM2", ITS.usb_serial)
    assert match(PROBE, [ITS, second]) == "/dev/ttyACM1"


def test_a_named_port_goes_before_the_environment_and_both_before_the_probes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HIL_SERIAL", "/dev/ttyUSB0")
    assert match(PROBE, [ITS]) == "/dev/ttyUSB0"
    assert match(PROBE, [ITS], "/dev/ttyUSB9") == "/dev/ttyUSB9"
    assert match(PROBE, [ITS], use_environment=False) == "/dev/ttyACM1"


def test_a_probe_that_knows_its_port_is_believed() -> None:
    twin = Probe("twin-1", "hil twin", is_twin=True, serial_port="/dev/pts/4")
    assert match(twin, [ITS]) == "/dev/pts/4"


def test_no_match_lists_the_ports_there_are() -> None:
    with pytest.raises(BoardError, match=r"ports: /dev/ttyS0, /dev/ttyUSB0 \(FT232R USB UART\)") as caught:
        match(PROBE, [BARE, OTHER])
    assert "--serial" in caught.value.hint
    with pytest.raises(BoardError, match="ports: none"):
        match(PROBE, [])
