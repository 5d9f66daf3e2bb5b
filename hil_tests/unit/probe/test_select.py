"""Which probe a run takes: named, or the only one; anything else is an error that lists what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import BoardError
from hil.probe import select
from hil.probe.found import Probe, describe
from hil.probe.select import choose
from hil.probe.usb import blocked_stlinks

NUCLEO = Probe("066BFF303435554157113020", "STM32 STLink", "NUCLEO-F746ZG")
DISCO = Probe("066CFF535155878281152339", "STM32 STLink", "DISCO-F746NG")
PICO = Probe("E6614103", "Picoprobe")
ALL = [NUCLEO, DISCO, PICO]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIL_PROBE", raising=False)


def test_the_only_probe_is_taken() -> None:
    assert choose([PICO], None) is PICO


@pytest.mark.parametrize("wanted", [DISCO.unique_id, "066CFF", "066c"])
def test_the_start_of_an_id_is_enough_in_either_case(wanted: str) -> None:
    assert choose(ALL, wanted) is DISCO


def test_the_environment_names_it_where_the_command_line_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_PROBE", "E66")
    assert choose(ALL, None) is PICO
    assert choose(ALL, "066B") is NUCLEO


def test_a_whole_id_is_meant_even_where_another_begins_with_it() -> None:
    long = Probe("E66141030", "Picoprobe")
    assert choose([long, PICO], "E6614103") is PICO


def test_several_are_listed_with_what_tells_them_apart() -> None:
    with pytest.raises(BoardError) as caught:
        choose(ALL, None)
    assert caught.value.message.startswith("3 probes are connected")
    for probe in ALL:
        assert probe.unique_id in caught.value.message
    assert "on NUCLEO-F746ZG" in caught.value.message
    assert "HIL_PROBE" in caught.value.hint


def test_an_ambiguous_start_lists_only_what_it_fits() -> None:
    with pytest.raises(BoardError, match="2 probes begin with '066'") as caught:
        choose(ALL, "066")
    assert PICO.unique_id not in caught.value.message


def test_a_wrong_name_says_what_there_is() -> None:
    with pytest.raises(BoardError, match="no probe begins with '99'; connected: 066B"):
        choose(ALL, "99")


def test_no_probe_says_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select._none, "__defaults__", (list,))
    with pytest.raises(BoardError, match="no debug probe is connected") as caught:
        choose([], None)
    for word in ("cable", "udev", "firmware"):
        assert word in caught.value.hint


def usb_device(root: Path, name: str, vendor: str, product: str) -> None:
    (root / name).mkdir(parents=True)
    texts = {"idVendor": vendor, "idProduct": product, "busnum": "1", "devnum": "7"}
    for attribute, text in texts.items():
        (root / name / attribute).write_text(text + "\n")


def test_an_stlink_that_cannot_be_opened_is_told_from_one_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb_device(tmp_path / "sys", "1-2", "0483", "374b")
    usb_device(tmp_path / "sys", "1-3", "1d6b", "0002")
    node = tmp_path / "dev/001/007"
    assert blocked_stlinks(tmp_path / "sys", tmp_path / "dev") == [str(node)]
    node.parent.mkdir(parents=True)
    node.touch()
    assert blocked_stlinks(tmp_path / "sys", tmp_path / "dev") == []
    monkeypatch.setattr(select._none, "__defaults__", (lambda: [str(node)],))
    with pytest.raises(BoardError, match="no permission to open the ST-LINK") as caught:
        choose([], None)
    assert "udev" in caught.value.hint


class Handle:
    unique_id, description = "0671", "STM32 STLink"

    def __init__(self, board: object) -> None:
        self._board = board

    @property
    def associated_board_info(self) -> object:
        if isinstance(self._board, Exception):
            raise self._board
        return self._board


def test_a_probe_that_is_busy_is_listed_without_its_board() -> None:
    assert describe(Handle(OSError(16, "Resource busy"))).board is None
    assert describe(Handle(None)).board is None


def test_a_probe_that_does_not_say_so_is_no_twins() -> None:
    assert not describe(Handle(None)).is_twin
