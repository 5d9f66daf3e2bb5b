"""What a kind of fault is: a name, where it strikes, its settings, and how it may end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from hil.faults.injection import Injection


class Layer(StrEnum):
    """Where a fault strikes."""

    LINK = "link"
    SERVER = "server"
    DEVICE = "device"
    HOST = "host"


@dataclass(frozen=True)
class Setting:
    """One setting of a kind, beside `at` and `rate`, which all kinds have."""

    name: str
    default: Any
    """Of the type that `parse` gives."""
    parse: Callable[[str], Any]
    """Raises ValueError, whose text says what is valid."""
    unit: str
    """Empty where it has none."""
    summary: str


@dataclass(frozen=True)
class Kind:
    """One entry of `--inject list`."""

    name: str
    layer: Layer
    summary: str
    expected: frozenset[str]
    """The outcomes it may lead to: members of `hil.faults.outcome.Outcome`."""
    make: Callable[[Mapping[str, Any], Random], Injection]
    """From the value of every setting to an injection that draws from that Random alone."""
    settings: tuple[Setting, ...] = ()
    boards: frozenset[str] | None = None
    """Names of the boards that it can be injected on; None: all."""
    own_server: bool = False
    """Whether it needs a server half in a process of its own, which hil started."""
    keyed: bool = False
    """Whether it is tried on a device that takes authentic replies only."""
    ends_run: bool = False
    """Whether the run ends after the sample, as it should."""
    usual: int | None = None
    """How often a campaign injects it; None: as is usual for its layer."""
    trials: tuple[str, ...] = ("rate=0.5",)
    """The settings of a campaign's runs, in turn."""
    samples: int = 120
    """Of a campaign's run."""
