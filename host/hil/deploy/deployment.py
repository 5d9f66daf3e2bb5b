"""What packaging hands to a session: firmware, its oracle, and the footprint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.bundle import Manifest
from hil.deploy.graph import Graph
from hil.deploy.plan import Plan
from hil.deploy.seal import Seal


class KernelChoice(StrEnum):
    """Which kernels compute the device half."""

    TUNED = "tuned"
    """The fastest of all that there are, by the twin's cycle model."""
    PLAIN = "plain"
    """CMSIS-NN's wherever it has one."""


@dataclass(frozen=True)
class Fusion:
    """Integer fusion: fused[i] = local_multiplier·(local[i] − zero_point) + remote_multiplier·remote[i].

    Both multipliers carry the same unit, chosen so that neither product exceeds 2^29.
    """

    local_multiplier: int
    local_zero_point: int
    remote_multiplier: int


@dataclass(frozen=True)
class ExitRule:
    """When the local answer stands and nothing is sent, in integers; see `hil.deploy.exit`."""

    exponentials: NDArray[np.uint32]
    """(256,) exp(−d · scale) for a logit d steps below the best, with 24 fraction bits."""
    limit: int
    """Greatest sum of exponentials at which it does: 1 / threshold, with 24 fraction bits."""


@dataclass(frozen=True)
class Layer:
    """A layer of the generated code, in execution order."""

    name: str
    kernel: str
    macs: int


@dataclass(frozen=True)
class Footprint:
    """Bytes, read from the ELF and its symbols."""

    flash_bytes: int
    ram_static_bytes: int
    """.data and .bss without the arena and the stack."""
    arena_bytes: int
    stack_bytes: int
    itcm_bytes: int = 0
    """Code that runs from ITCM RAM, 16 KB beside the 320; it is counted in the flash too."""


@dataclass(frozen=True)
class Reference:
    """What the device must compute for one sample, bit for bit."""

    logits: NDArray[np.int8] | None
    symbols: NDArray[np.uint8] | None
    payload: bytes
    stays: bool = False
    """The local answer stands: nothing is sent, though `payload` says what would have been."""


@dataclass(frozen=True)
class Deployment:
    """A bundle built for a board."""

    folder: Path
    elf: Path
    bundle: Path
    bundle_hash: bytes
    manifest: Manifest
    board: str
    clock_hz: int
    kernels: KernelChoice
    graph: Graph
    symbol_of: NDArray[np.uint8] | None
    """(256,) centroid index of the int8 feature v at v + 128."""
    fusion: Fusion | None
    exit: ExitRule | None
    """None: whatever can be sent is sent."""
    codec_tables: dict[str, NDArray[Any]]
    """What the payload's coder needs, as the bundle has it under `codec.`."""
    layers: tuple[Layer, ...]
    memory: Plan
    """Its steps are the layers, then quantise, encode and send."""
    footprint: Footprint
    seal: Seal | None = None
    """What the firmware's check of itself has to find; None where nobody knows."""
