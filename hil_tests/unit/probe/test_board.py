"""The board behind a probe: what it finds out, does and says, with a fake world around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hil.boards import registry
from hil.boards.options import BoardOptions
from hil.boards.probe import TWIN_SLOWNESS, OpenedDebugger, Outside, ProbeBoard
from hil.boards.protocol import ExternalBoard
from hil.errors import BoardError, UsageError
from hil.measure.source import Source
from hil.pipeline import Request, resolve
from hil.probe.channel import SerialChannel
from hil.probe.found import Probe
from hil.probe.serial_port import Port
from hil.probe.targets import OWN, ChosenTarget
from hil_tests.unit.probe.fake_debugger import FakeDebugger, FakeFlash

NUCLEO = Probe("066B01", "STM32 STLink", "NUCLEO-F746ZG")
DISCO = Probe("066C01", "STM32 STLink", "DISCO-F746NG")
BARE = Probe("J0001", "J-Link")
TWIN = Probe("twin-a", "hil twin", "NUCLEO-F746ZG", is_twin=True, serial_port="/dev/pts/9")
IMAGE = (0x2001_0000).to_bytes(4, "little") + (0x0800_0009).to_bytes(4, "little") + bytes(range(200)) * 300


class FakeChannel:
    def __init__(self, name: str) -> None:
        self.name = name
        self.lost: BoardError | None = None
        self.discarded = self.closed = 0

    def discard(self) -> None:
        self.discarded += 1

    def close(self) -> None:
        self.closed += 1


@dataclass
class World:
    """One board's flash, and everything that was opened."""

    probes: list[Probe]
    flash: FakeFlash = field(default_factory=FakeFlash)
    fails_at: int | None = None
    channels: list[FakeChannel] = field(default_factory=list)
    debuggers: list[FakeDebugger] = field(default_factory=list)
    slowness: list[float] = field(default_factory=list)

    def outside(self) -> Outside:
        return Outside(
            probes=lambda: self.probes,
            ports=lambda: [Port(f"/dev/tty-{probe.unique_id}", probe.unique_id) for probe in self.probes],
            target=lambda board, pack: ChosenTarget("hil_f746", OWN, pack),
            open_channel=self._channel,
            open_debugger=self._debugger,
        )

    def _channel(self, name: str) -> SerialChannel:
        self.channels.append(FakeChannel(name))
        return self.channels[-1]  # type: ignore[return-value]

    def _debugger(self, probe: Probe, target: ChosenTarget, slowness: float) -> OpenedDebugger:
        self.slowness.append(slowness)
        self.debuggers.append(FakeDebugger(self.flash, self.fails_at))
        return self.debuggers[-1]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIL_PROBE", raising=False)
    monkeypatch.delenv("HIL_SERIAL", raising=False)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "hil.bin"
    path.write_bytes(IMAGE)
    return path


Make = Callable[..., tuple[ProbeBoard, World]]


@pytest.fixture
def make() -> Make:
    def make(*probes: Probe, name: str = "stm32f746", **options: Any) -> tuple[ProbeBoard, World]:
        world = World(list(probes))
        return ProbeBoard(name, BoardOptions(**options), world.outside()), world

    return make


@pytest.mark.parametrize(("probe", "folder"), [(NUCLEO, "nucleo_f746zg"), (DISCO, "disco_f746g")])
def test_the_probe_says_which_board_it_is(make: Make, probe: Probe, folder: str) -> None:
    board, _ = make(probe)
    board.prepare()
    assert board.info.config == folder
    assert board.info.name == "stm32f746"


def test_a_probe_that_does_not_know_its_board_needs_it_named(make: Make) -> None:
    board, _ = make(BARE)
    with pytest.raises(BoardError, match="does not say which board") as caught:
        board.prepare()
    assert "--board nucleo_f746zg" in caught.value.hint
    board, _ = make(BARE, name="disco_f746g")
    board.prepare()
    assert board.info.config == "disco_f746g"


def test_firmware_for_one_board_is_not_flashed_to_another(make: Make) -> None:
    board, _ = make(NUCLEO, name="disco_f746g")
    with pytest.raises(BoardError, match="is not on a disco_f746g") as caught:
        board.prepare()
    assert "--board nucleo_f746zg" in caught.value.hint


def test_a_real_boards_figures_are_measured_and_a_twins_are_not(make: Make) -> None:
    board, _ = make(NUCLEO)
    board.prepare()
    assert (board.info.time_source, board.info.slowness) == (Source.MEASURED_DWT, 1.0)
    assert not board.info.virtual_time
    board, world = make(TWIN)
    board.prepare()
    assert (board.info.time_source, board.info.slowness) == (Source.TWIN_CYCLES, TWIN_SLOWNESS)
    assert not world.debuggers, "looking does not touch the board"


def test_a_start_flashes_resets_without_a_debugger_and_opens_the_port(make: Make, image: Path) -> None:
    board, world = make(NUCLEO)
    with board.start(image) as running:
        (debugger,), (channel,) = world.debuggers, world.channels
        assert world.flash.memory.startswith(IMAGE)
        assert debugger.running
        assert debugger.closed, "the probe is let go before anything is measured"
        assert channel.name == "/dev/tty-066B01"
        assert channel.discarded == 1
        assert running.instructions() is None
        running.check()
        channel.lost = BoardError("the serial port is gone")
        with pytest.raises(BoardError, match="gone"):
            running.check()
    assert channel.closed


def test_a_second_start_writes_nothing_and_says_so(make: Make, image: Path) -> None:
    board, _ = make(NUCLEO)
    board.start(image)
    assert board.provenance()["bytes_flashed"] == len(IMAGE)
    assert board.provenance()["bytes_kept"] == 0
    board.start(image)
    told = board.provenance()
    assert (told["starts"], told["bytes_flashed"], told["bytes_kept"]) == (2, len(IMAGE), len(IMAGE))


def test_a_start_that_fails_gives_probe_and_port_back_and_the_next_one_recovers(
    make: Make, image: Path
) -> None:
    board, world = make(NUCLEO)
    world.fails_at = 3
    with pytest.raises(BoardError, match="lost its board"):
        board.start(image)
    assert world.debuggers[0].closed
    assert world.channels[0].closed
    assert not world.debuggers[0].running, "a torn image is not started"
    world.fails_at = None
    board.start(image)
    assert world.flash.memory.startswith(IMAGE)


def test_its_provenance_names_what_a_figure_rests_on_and_no_machine(make: Make, image: Path) -> None:
    board, _ = make(DISCO, serial_port="/dev/ttyACM3")
    assert isinstance(board, ExternalBoard)
    assert board.provenance() == {}
    board.start(image)
    assert board.provenance() == {
        "folder": "disco_f746g",
        "probe": "066C01",
        "probe_product": "STM32 STLink",
        "probe_firmware": "V2J43M28",
        "serial_port": "/dev/ttyACM3",
        "target": f"hil_f746, {OWN}",
        "starts": 1,
        "bytes_flashed": len(IMAGE),
        "bytes_kept": 0,
    }
    assert set(board.files()) == {"probe.log"}


@pytest.mark.parametrize("option", [{"probe": "066"}, {"serial_port": "x"}, {"pack": Path("x")}])
def test_options_of_physical_boards_are_refused_for_others(option: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is for a physical board, not for 'twin'") as caught:
        registry.get("twin", BoardOptions(**option))
    assert "--board stm32f746" in caught.value.hint
    registry.get("nucleo_f746zg", BoardOptions(**option))


def test_renodes_options_are_refused_for_physical_boards() -> None:
    with pytest.raises(UsageError, match="is for Renode"):
        registry.get("stm32f746", BoardOptions(gdb_port=3333))


def test_a_named_board_can_be_built_for_without_being_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(self: ProbeBoard) -> None:
        raise BoardError("no debug probe is connected")

    monkeypatch.setattr(ProbeBoard, "prepare", nobody)
    assert resolve(Request(board="nucleo_f746zg"), to_run=False).board.info.config == "nucleo_f746zg"
    for board, to_run in (("nucleo_f746zg", True), ("stm32f746", False)):
        with pytest.raises(BoardError, match="no debug probe"):
            resolve(Request(board=board), to_run=to_run)
