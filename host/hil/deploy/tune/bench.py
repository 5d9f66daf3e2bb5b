"""A twin with an image of trials: runs them one by one, and looks at every output."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from hil.deploy.program import PAYLOAD, SYMBOLS, DeviceHalf, Sends
from hil.deploy.tune.expected import Values, payload_of, symbols_of
from hil.deploy.tune.tail import PREFIX
from hil.deploy.tune.trial import Trial
from hil.errors import BuildError
from hil.twin.twin import Twin


@dataclass(frozen=True)
class Bench:
    """A twin with an image of trials."""

    twin: Twin
    values: Values
    arena: int

    def time(self, index: int, trial: Trial) -> int:
        """Cycles of the second run of trial number `index`. Raises BuildError where it is wrong."""
        twin = self.twin
        address = struct.unpack("<I", twin.read(twin.symbol("hil_trials") + 4 * index, 4))[0]
        cycles = 0
        for _ in range(2):
            for name in trial.reads:
                twin.write(self.arena + trial.offsets[name], self.values[name].tobytes())
            before = twin.cycles
            if twin.call(address & ~1):
                raise _wrong(trial, "refused its arguments")
            cycles = twin.cycles - before
            self._check(trial)
        return cycles

    def time_tail(self, tail: DeviceHalf) -> tuple[int, int]:
        """Cycles of the firmware's quantiser and of its encoder, second run."""
        twin, values = self.twin, self.values
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
        return of_quantiser, cycles - of_quantiser

    def _check(self, trial: Trial) -> None:
        for name in trial.writes:
            want = self.values[name]
            got = np.frombuffer(self._read(trial, name, want.size), np.int8)
            if wrong := int(np.count_nonzero(got != want.ravel())):
                raise _wrong(
                    trial, f"makes {wrong} of {want.size} values of {name!r} other than the interpreter"
                )
        if trial.sends is Sends.SYMBOLS:
            symbols = symbols_of(trial.half, self.values)
            if self._read(trial, SYMBOLS, symbols.size) != symbols.tobytes():
                raise _wrong(trial, "makes other symbols than the host")
        elif trial.sends is Sends.PAYLOAD:
            expected = payload_of(trial.half, self.values)
            count = struct.unpack("<i", self.twin.read(self.twin.symbol("payload_bytes"), 4))[0]
            if count != len(expected) or self._read(trial, PAYLOAD, count) != expected:
                raise _wrong(
                    trial, f"makes another payload, of {count} bytes; the host's has {len(expected)}"
                )

    def _read(self, trial: Trial, name: str, size: int) -> bytes:
        return self.twin.read(self.arena + trial.offsets[name], size)


def _wrong(trial: Trial, what: str) -> BuildError:
    return BuildError(
        f"kernel {trial.step.kernel.name} for {trial.title!r} {what}",
        "report it; --kernels plain goes without",
    )
