"""Trials on the twin: cycles of the second run, and every output held against the interpreter's."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil.deploy.build import Toolchain
from hil.deploy.footprint import symbol_sizes
from hil.deploy.interpret import interpret
from hil.deploy.program import PAYLOAD, SYMBOLS, DeviceHalf, Sends
from hil.deploy.tune.image import ARENA, ARENA_MAX, batches, build
from hil.deploy.tune.tail import PREFIX
from hil.deploy.tune.trial import Trial
from hil.errors import BuildError
from hil.twin.timing.calibration.measure import prepared
from hil.twin.timing.model import Timing
from hil.twin.twin import Twin

SEED = 746

Values = Mapping[str, NDArray[np.int8]]


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


TooLarge = None
"""Instead of a `Measurement`: inputs, outputs and scratch do not fit in SRAM together."""


def random_sample(half: DeviceHalf) -> NDArray[np.int8]:
    """Seeded random input of the graph."""
    shape = half.graph.tensor(half.graph.input).shape
    return np.random.default_rng(SEED).integers(-128, 128, shape, dtype=np.int8)


def measure(
    toolchain: Toolchain,
    half: DeviceHalf,
    sample: NDArray[np.int8],
    trials: Sequence[Trial],
    tail: DeviceHalf | None,
) -> tuple[list[Measurement | None], Tail | None]:
    """Times `trials` of `half` on `sample`, its input, and the `tail` where there is one.

    A trial that does not fit in SRAM has None. Raises BuildError, naming the kernel, where an output is
    not the interpreter's.
    """
    values = {name: value[0] for name, value in interpret(half.graph, sample[None]).items()}
    fitting = [trial for trial in trials if trial.arena_bytes <= ARENA_MAX]
    found: dict[int, Measurement] = {}
    of_tail = None
    for number, batch in enumerate(batches(fitting)):
        with tempfile.TemporaryDirectory() as folder:
            elf = build(toolchain, batch, tail if number == 0 else None, Path(folder))
            twin = prepared(elf, Timing.CYCLES)
            sizes = _sizes(elf)
            for index, trial in enumerate(batch):
                found[id(trial)] = _time(twin, index, trial, values, sizes)
            if tail is not None and number == 0:
                of_tail = _time_tail(twin, tail, values)
            twin.close()
    return [found.get(id(trial)) for trial in trials], of_tail


def _time(
    twin: Twin, index: int, trial: Trial, values: Values, sizes: Mapping[str, list[int]]
) -> Measurement:
    address = struct.unpack("<I", twin.read(twin.symbol("hil_trials") + 4 * index, 4))[0]
    cycles = 0
    for _ in range(2):
        for name in trial.reads:
            twin.write(ARENA + trial.offsets[name], values[name].tobytes())
        before = twin.cycles
        if twin.call(address & ~1):
            raise _wrong(trial, "refused its arguments")
        cycles = twin.cycles - before
        _check(twin, trial, values)
    code, constants = sizes.get(f"trial{index}", [0, 0])
    return Measurement(cycles, code, constants)


def _check(twin: Twin, trial: Trial, values: Values) -> None:
    for name in trial.writes:
        want = values[name]
        got = np.frombuffer(twin.read(ARENA + trial.offsets[name], want.size), np.int8)
        if wrong := int(np.count_nonzero(got != want.ravel())):
            raise _wrong(trial, f"makes {wrong} of {want.size} values of {name!r} other than the interpreter")
    if trial.sends is Sends.SYMBOLS:
        symbols = symbols_of(trial.half, values).tobytes()
        if twin.read(ARENA + trial.offsets[SYMBOLS], len(symbols)) != symbols:
            raise _wrong(trial, "makes other symbols than the host")
    elif trial.sends is Sends.PAYLOAD:
        expected = payload_of(trial.half, values)
        count = struct.unpack("<i", twin.read(twin.symbol("payload_bytes"), 4))[0]
        if count != len(expected) or twin.read(ARENA + trial.offsets[PAYLOAD], count) != expected:
            raise _wrong(trial, f"makes another payload, of {count} bytes; the host's has {len(expected)}")


def _wrong(trial: Trial, what: str) -> BuildError:
    return BuildError(
        f"kernel {trial.step.kernel.name} for {trial.title!r} {what}",
        "report it; --kernels plain goes without",
    )


def symbols_of(half: DeviceHalf, values: Values) -> NDArray[np.uint8]:
    """What the host makes of the feature map in `values`, in the payload's order."""
    assert half.coder is not None
    assert half.feature is not None
    form = half.coder.form
    sent = values[half.feature][:, :, form.channel_begin : form.channel_begin + form.channels]
    planar = sent.transpose(2, 0, 1).ravel()
    symbol_of = np.zeros(256, np.uint8) if half.symbol_of is None else half.symbol_of
    symbols: NDArray[np.uint8] = symbol_of[planar.astype(np.int16) + 128]
    return symbols


def payload_of(half: DeviceHalf, values: Values) -> bytes:
    """The same, encoded."""
    assert half.coder is not None
    return half.coder.encode(symbols_of(half, values))


def _time_tail(twin: Twin, tail: DeviceHalf, values: Values) -> Tail:
    feature, _, payload = struct.unpack("<3I", twin.read(twin.symbol(f"{PREFIX}hil_model_buffers"), 12))
    expected, quantise = payload_of(tail, values), twin.symbol("layer_cycles")
    cycles = 0
    for _ in range(2):
        twin.write(feature, values[tail.graph.input].tobytes())
        before = twin.cycles
        count = twin.call("tail_run", quantise)
        cycles = twin.cycles - before
        if twin.read(payload, len(expected)) != expected or count != len(expected):
            raise BuildError("the firmware's encoder and the host's differ", "report it")
    of_quantiser = struct.unpack("<I", twin.read(quantise, 4))[0]
    return Tail(of_quantiser, cycles - of_quantiser)


def _sizes(elf: Path) -> dict[str, list[int]]:
    """Bytes of functions and of constants by trial: all symbols that begin with its name."""
    found: dict[str, list[int]] = {}
    for at, kind in enumerate(("STT_FUNC", "STT_OBJECT")):
        for name, size in symbol_sizes(elf, kind):
            owner = name.partition("_")[0]
            if owner.startswith("trial"):
                found.setdefault(owner, [0, 0])[at] += size
    return found
