"""Runs calibration images on the twin and reads their cycles."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from hil.errors import BoardError
from hil.twin.image import Image
from hil.twin.timing.model import Breakdown, Timing
from hil.twin.timing.parameters import DEFAULT, Parameters
from hil.twin.twin import Twin

ACR_216_MHZ = 7 | 1 << 8 | 1 << 9
"""Seven wait states, accelerator and prefetch, as start-up code sets them at 216 MHz."""
CACHES_ON = 1 << 16 | 1 << 17
HZ = 216_000_000


@dataclass(frozen=True)
class NetworkRun:
    """One inference after a first one that warmed caches and predictor."""

    cycles: int
    instructions: int
    layers: tuple[int, ...]
    breakdown: Breakdown | None
    """Of this inference alone."""

    @property
    def milliseconds(self) -> float:
        """At 216 MHz."""
        return 1e3 * self.cycles / HZ


def prepared(
    elf: Path,
    timing: Timing,
    *,
    ccr: int = CACHES_ON,
    acr: int = ACR_216_MHZ,
    parameters: Parameters = DEFAULT,
    profile: bool = False,
) -> Twin:
    """A twin with the image, caches and wait states set up."""
    twin = Twin(Image.load(elf), timing=timing, parameters=parameters, profile=profile)
    twin.call("calibrate_setup", acr, ccr)
    return twin


def run_network(twin: Twin, layers: int) -> NetworkRun:
    """Runs `hil_model_run` twice and measures the second. Raises BoardError."""
    counts = twin.symbol("layer_cycles")
    _infer(twin, counts)
    before, instructions, stack = twin.cycles, twin.instructions, twin.breakdown
    _infer(twin, counts)
    return NetworkRun(
        twin.cycles - before,
        twin.instructions - instructions,
        struct.unpack(f"<{layers}I", twin.read(counts, 4 * layers)),
        _difference(stack, twin.breakdown),
    )


def _infer(twin: Twin, counts: int) -> None:
    if twin.call("hil_model_run", counts):
        raise BoardError("a kernel of the calibration network refused its arguments", "report it")


def _difference(before: Breakdown | None, after: Breakdown | None) -> Breakdown | None:
    if before is None or after is None:
        return None
    cycles = {name: value - before.cycles[name] for name, value in after.cycles.items()}
    return Breakdown(cycles, {name: value - before.events[name] for name, value in after.events.items()})


def cycles_per_iteration(twin: Twin, function: str, iterations: int = 64) -> float:
    """Steady-state cycles of one pass through a loop: two lengths, so that call and entry cancel."""

    def spent(count: int) -> int:
        before = twin.cycles
        twin.call(function, count)
        return twin.cycles - before

    spent(4 * iterations)
    return (spent(3 * iterations) - spent(iterations)) / (2 * iterations)
