"""Trials on the twin: cycles of the second run, and every output held against the interpreter's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil.deploy.build import Toolchain
from hil.deploy.footprint import symbol_sizes
from hil.deploy.interpret import interpret
from hil.deploy.program import DeviceHalf, Sends
from hil.deploy.tune.bench import Bench
from hil.deploy.tune.expected import Values
from hil.deploy.tune.image import ARENA_MAX, FIRMWARE, Place, batches, build, compile_library
from hil.deploy.tune.trial import Trial
from hil.twin.timing.calibration.measure import prepared
from hil.twin.timing.model import Timing


@dataclass(frozen=True)
class Tail:
    """Cycles of the firmware's quantiser and encoder."""

    quantise_cycles: int
    encode_cycles: int

    def after(self, sends: Sends) -> int:
        """Cycles that are left when the steps have done as much as `sends`."""
        left = {Sends.NOTHING: self.quantise_cycles + self.encode_cycles, Sends.SYMBOLS: self.encode_cycles}
        return left.get(sends, 0)


@dataclass(frozen=True)
class Measurement:
    """What one trial took."""

    cycles: int
    code_bytes: int
    """Functions that were generated for it; library functions that it calls are shared, and not in it."""
    constant_bytes: int
    """Weights and tables that were generated for it."""


def measure(
    toolchain: Toolchain,
    half: DeviceHalf,
    sample: NDArray[np.int8],
    trials: Sequence[Trial],
    tail: DeviceHalf | None,
    place: Place = FIRMWARE,
) -> tuple[list[Measurement | None], Tail | None]:
    """Times `trials` of `half` on `sample`, its input, and the `tail` where there is one.

    A trial that does not fit in SRAM has None. Raises BuildError, naming the kernel, where an output is
    not the interpreter's.
    """
    values = {name: value[0] for name, value in interpret(half.graph, sample[None]).items()}
    fitting = [trial for trial in trials if trial.arena_bytes <= ARENA_MAX]
    found: dict[int, Measurement] = {}
    of_tail = None
    with tempfile.TemporaryDirectory() as folder:
        for batch, elf in _images(toolchain, batches(fitting), tail, Path(folder), place):
            sizes = [dict(symbol_sizes(elf, kind)) for kind in ("STT_FUNC", "STT_OBJECT")]
            with _bench(elf, values, place) as bench:
                for index, trial in enumerate(batch):
                    cycles = bench.time(index, trial)
                    code, constants = (_bytes(one, f"trial{index}_") for one in sizes)
                    found[id(trial)] = Measurement(cycles, code, constants)
                if tail is not None and of_tail is None:
                    of_tail = Tail(*bench.time_tail(tail))
    return [found.get(id(trial)) for trial in trials], of_tail


def _images(
    toolchain: Toolchain, parts: Sequence[list[Trial]], tail: DeviceHalf | None, folder: Path, place: Place
) -> Iterator[tuple[list[Trial], Path]]:
    """The images in order, the tail in the first; one is compiled while the one before is run."""
    library = compile_library(toolchain, folder)
    tails = [tail, *[None] * (len(parts) - 1)]
    with ThreadPoolExecutor(1) as compiler:
        try:
            images = [
                compiler.submit(build, toolchain, library, part, tail, folder / str(number), place)
                for number, (part, tail) in enumerate(zip(parts, tails, strict=True))
            ]
            for part, image in zip(parts, images, strict=True):
                yield part, image.result()
        finally:
            compiler.shutdown(cancel_futures=True)


@contextmanager
def _bench(elf: Path, values: Values, place: Place) -> Iterator[Bench]:
    twin = prepared(elf, Timing.CYCLES)
    try:
        yield Bench(twin, values, place.arena)
    finally:
        twin.close()


def _bytes(sizes: Mapping[str, int], prefix: str) -> int:
    """Of all symbols whose names begin so."""
    return sum(size for name, size in sizes.items() if name.startswith(prefix))
