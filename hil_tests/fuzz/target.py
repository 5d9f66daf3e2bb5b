"""What there is to fuzz."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
"""Inputs worth keeping, a folder a target."""


@dataclass(frozen=True)
class Target:
    """Code that takes any bytes."""

    name: str
    summary: str
    seeds: Callable[[], Iterator[bytes]]
    """Sound inputs, made by hil's own encoders."""
    longest: int = 4096
    """Bytes of the longest input that is tried."""

    @property
    def corpus(self) -> Path:
        return CORPUS / self.name


@dataclass(frozen=True)
class CTarget(Target):
    """One of `c/`, with sources of the firmware, compiled for this machine."""

    harness: tuple[str, ...] = ()
    """Files of `c/`."""
    sources: tuple[str, ...] = ()
    """Patterns of files under `mcu/`."""
    restarts: bool = False
    """Whether the firmware's own variables are as after a reset for every input."""


@dataclass(frozen=True)
class PythonTarget(Target):
    """A module of `python/` with `one(data)`."""
