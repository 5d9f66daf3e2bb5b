"""`hil boards`: what a run can name, and which probes are there."""

from __future__ import annotations

import json

import pytest

from hil.cli import main
from hil.doctor import Check, Status
from hil.errors import BoardError
from hil.probe import checks, listing
from hil.probe.found import Probe
from hil.probe.serial_port import Port

NUCLEO = Probe("066B01", "STM32 STLink", "NUCLEO-F746ZG")
BARE = Probe("J0001", "J-Link")


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Probe]:
    found: list[Probe] = []
    monkeypatch.setattr(listing, "connected", lambda: found)
    monkeypatch.setattr(listing.serial_port, "ports", lambda: [Port("/dev/ttyACM0", "066B01")])
    return found


def test_every_board_is_listed_without_one_being_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["boards", "--json"]) == 0
    boards = {board["name"]: board for board in json.loads(capsys.readouterr().out)}
    assert list(boards) == ["twin", "renode", "stm32f746", "nucleo_f746zg", "disco_f746g"]
    assert boards["nucleo_f746zg"]["time_source"] == "measured_dwt"
    assert boards["nucleo_f746zg"]["virtual_time"] is False


def test_connected_probes_are_listed_with_board_and_port(
    connected: list[Probe], capsys: pytest.CaptureFixture[str]
) -> None:
    connected += [NUCLEO, BARE]
    assert main(["boards", "--connected", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "unique_id": "066B01",
            "product": "STM32 STLink",
            "board": "nucleo_f746zg",
            "serial_port": "/dev/ttyACM0",
        },
        {"unique_id": "J0001", "product": "J-Link", "board": None, "serial_port": None},
    ]
    assert main(["boards", "--connected"]) == 0
    assert "/dev/ttyACM0" in capsys.readouterr().out


def test_no_probe_is_no_error_and_says_what_to_check(
    connected: list[Probe], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["boards", "--connected"]) == 0
    assert "udev" in capsys.readouterr().out
    assert main(["boards", "--connected", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_the_doctor_names_probes_and_what_keeps_them_away(
    connected: list[Probe], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks.probes("probes").status is Status.OPTIONAL
    connected.append(NUCLEO)
    assert checks.probes("probes") == Check("probes", Status.OK, "066B01 (STM32 STLink) with /dev/ttyACM0")
    monkeypatch.setattr(checks, "blocked_stlinks", lambda: ["/dev/bus/usb/001/007"])
    blocked = checks.probes("probes")
    assert "/dev/bus/usb/001/007" in blocked.detail
    assert "udev" in blocked.hint


def test_the_doctor_survives_without_pyocd(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise BoardError("pyOCD cannot be used: no module", "type: pip install pyocd")

    monkeypatch.setattr(listing, "connected", missing)
    check = checks.probes("probes")
    assert check.status is Status.OPTIONAL
    assert "pip install pyocd" in check.hint
