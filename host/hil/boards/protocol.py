"""What every board can do: take an image, start it, and give a channel to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

from hil.measure.power.conditions import Usage
from hil.measure.source import Source
from hil.wire.transport import Channel


@dataclass(frozen=True)
class BoardInfo:
    """A board as `hil boards` lists it."""

    name: str
    summary: str
    config: str
    """The folder under `mcu/board/` that the firmware is built with."""
    flash_bytes: int
    ram_bytes: int
    virtual_time: bool
    time_source: Source
    run_baud: int
    """The rate that CONFIGURE asks for."""
    slowness: float = 1.0
    """Seconds of the channel's clock that may pass in one of the device's: an emulator that answers in
    real time is slower than the chip, and is waited for."""


class RunningBoard(Protocol):
    """A board that runs an image; leaving the context stops it."""

    @property
    def channel(self) -> Channel: ...

    def check(self) -> None:
        """Raises BoardError when the board crashed, saying how."""
        ...

    def instructions(self) -> int | None:
        """Instructions executed since the start, where the board can count them."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...


@runtime_checkable
class MeteredBoard(Protocol):
    """A running board that counts what its current depends on."""

    def usage(self) -> Usage:
        """Cycles and instructions since power-on, by clock, voltage scale and peripherals."""
        ...


class Board(Protocol):
    """A kind of board: emulated or physical."""

    @property
    def info(self) -> BoardInfo: ...

    def start(self, image: Path) -> RunningBoard:
        """Flashes and resets: returns once the core runs `image` (an ELF). Raises BoardError."""
        ...


@runtime_checkable
class TracedBoard(Protocol):
    """A board whose figures depend on more than its name."""

    def provenance(self) -> dict[str, Any]:
        """What it is made of, JSON-ready, for the summary."""
        ...


@runtime_checkable
class ExternalBoard(TracedBoard, Protocol):
    """What a board also is when another program stands behind it."""

    def prepare(self) -> None:
        """Looks for the program, so that its absence is told before a run begins. Raises BoardError."""
        ...

    def files(self) -> dict[str, bytes]:
        """What the program wrote so far, for the run folder: names and contents."""
        ...
