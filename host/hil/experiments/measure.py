"""What one cell of an experiment does, and what it finds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from hil import paths

Settings = Mapping[str, Any]
"""The names and values that make a cell, as JSON holds them."""

Figure = float | int | str | bool | None

KEY_DIGITS: Final = 20
_EMULATED = ("twin", "renode")


@dataclass(frozen=True)
class Context:
    """What a cell needs of this machine. It decides where things are read, and no figure."""

    data_dir: Path | None = None
    """Where data sets lie that do not come with a package."""


@dataclass(frozen=True)
class Found:
    """What a cell found out."""

    figures: Mapping[str, Figure]
    """By name, the unit in it; None where nothing measured or modelled it."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The origin of those figures that have one: `hil.measure.source`."""
    curves: Mapping[str, list[float]] = field(default_factory=dict)
    """Figures that a cell has many of, by name: one an epoch, one a sample."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else is worth keeping, such as a run's summary."""


Inputs = Callable[[Settings, Context], Mapping[str, str]]
Function = Callable[[Settings, Context], Found]


def no_inputs(settings: Settings, context: Context) -> Mapping[str, str]:
    """Of a measure that reads nothing but its settings."""
    return {}


def as_they_are(settings: Settings) -> Settings:
    """Every setting decides the figures."""
    return settings


@dataclass(frozen=True)
class Measure:
    """A kind of measurement. Its function is a module's own, so that any process finds it by name."""

    name: str
    function: Function
    """Raises HilError where there is no figure to be had."""
    rooms: tuple[str, ...]
    """Packages of hil whose sources decide the figures; `mcu` is the firmware's."""
    inputs: Inputs = no_inputs
    """Digests of what it reads, by name. Raises HilError where that is missing."""
    canonical: Callable[[Settings], Settings] = as_they_are
    """Those settings that decide the figures: cells that share them are measured once."""
    alone: bool = False
    """It takes times of this machine, so nothing else may run beside it."""


@dataclass(frozen=True)
class Cell:
    """One measurement to be made."""

    measure: Measure
    settings: Settings

    @property
    def alone(self) -> bool:
        """There is one of each physical board."""
        return self.measure.alone or self.settings.get("board", "twin") not in _EMULATED

    def key(self, context: Context) -> str:
        """Names what this cell would find: its settings, what it reads, and the code that does it.

        Raises HilError where something that it reads is missing.
        """
        parts = {
            "measure": self.measure.name,
            "settings": dict(self.measure.canonical(self.settings)),
            "inputs": dict(self.measure.inputs(self.settings, context)),
            "code": code_hash((*self.measure.rooms, "experiments/measures")),
        }
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]


@cache
def code_hash(rooms: tuple[str, ...]) -> str:
    """Over the sources of `rooms`; read once a process."""
    from hil.deploy.build import source_hash

    folders = [paths.MCU if room == "mcu" else paths.PACKAGE / room for room in rooms]
    if missing := [folder.name for folder in folders if not folder.is_dir()]:
        raise FileNotFoundError(f"hil has no room {missing[0]}")
    return source_hash(*folders)
