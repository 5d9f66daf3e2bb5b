"""What the tuner asks to be timed, what it keeps, and what it chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hil_tests import graphs
from hil_tests.stand_in_kernels import StandIn, chain
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil import paths
from hil.deploy import lower
from hil.deploy.build import Toolchain
from hil.deploy.graph import Clamp, Convolution, Pad, Slice
from hil.deploy.program import DeviceHalf, Sends
from hil.deploy.toolchain import CmsisSources, Compiler
from hil.deploy.tune import explain, kept
from hil.deploy.tune.measure import Measurement, Tail
from hil.deploy.tune.trial import Trial
from hil.deploy.tune.tuner import Tuned, place, tune

NOWHERE = Path("none")
TOOLCHAIN = Toolchain(
    Compiler(NOWHERE, "12.2.1"), CmsisSources(NOWHERE, NOWHERE, NOWHERE, ""), Path("key") / "libcmsis-nn.a"
)
FUSED = StandIn("fused", (Clamp, Slice))
SINGLE = StandIn("single", (Clamp,), scratch=64)


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    monkeypatch.setattr(lower, "SPECIALISED", (FUSED, SINGLE))


class Timer:
    """Stands in for the twin: costs by kernel name; what was asked for is kept."""

    def __init__(self, **cycles: int) -> None:
        self.cycles, self.asked = cycles, []

    def __call__(
        self,
        toolchain: Toolchain,
        half: DeviceHalf,
        sample: NDArray[np.int8],
        trials: Sequence[Trial],
        tail: DeviceHalf | None,
    ) -> tuple[list[Measurement | None], Tail | None]:
        names = [trial.step.kernel.name for trial in trials]
        self.asked.append(names)
        return [Measurement(self.cycles.get(name, 100), 8, 0) for name in names], None


def _kernels(tuned: Tuned) -> list[str]:
    return [step.kernel.name for step in tuned.program().steps]


def test_the_fastest_cover_is_taken() -> None:
    half = chain()
    assert _kernels(tune(half, TOOLCHAIN, timer=Timer(fused=199))) == ["hil_pad_s8", "fused"]


def test_a_kernel_slower_than_the_plain_ones_is_not() -> None:
    tuned = tune(chain(), TOOLCHAIN, timer=Timer(fused=201, single=101))
    assert _kernels(tuned) == ["hil_pad_s8", "hil_clamp_s8", "hil_slice_channels_s8"]


costs = st.integers(1, 400)


@given(fused=costs, single=costs, clamp=costs, cut=costs)
def test_no_step_ever_takes_longer_than_the_plain_ones_it_replaces(
    fused: int, single: int, clamp: int, cut: int
) -> None:
    cycles = {"fused": fused, "single": single, "hil_clamp_s8": clamp, "hil_slice_channels_s8": cut}
    half = chain()
    trials = tuple(Trial(half, step) for first in range(3) for step in lower.candidates(half, first))
    found = {
        place(trial.step): Measurement(cycles.get(trial.step.kernel.name, 100), 0, 0) for trial in trials
    }
    tuned = Tuned(half, trials, found, None)
    of_op = [100, clamp, cut]
    for step in tuned.program().steps:
        assert found[place(step)].cycles <= sum(of_op[step.first : step.end])


def test_what_was_not_measured_is_not_taken_but_for_the_plain_ones() -> None:
    tuned = tune(chain(), TOOLCHAIN, timer=Timer())
    assert _kernels(replace(tuned, found={})) == ["hil_pad_s8", "hil_clamp_s8", "hil_slice_channels_s8"]


def test_a_network_is_measured_once() -> None:
    first, second = Timer(fused=150), Timer()
    one, other = tune(chain(), TOOLCHAIN, timer=first), tune(chain(), TOOLCHAIN, timer=second)
    assert len(first.asked) == 1
    assert second.asked == []
    assert one.found == other.found


def test_the_same_shapes_with_other_numbers_are_not_measured_again() -> None:
    tune(chain(low=-50), TOOLCHAIN, timer=Timer())
    again = Timer()
    tune(chain(low=-40), TOOLCHAIN, timer=again)
    assert again.asked == []


def test_other_shapes_are() -> None:
    tune(chain(6), TOOLCHAIN, timer=Timer())
    again = Timer()
    tune(chain(7), TOOLCHAIN, timer=again)
    assert [sorted(names) for names in again.asked] == [
        sorted(["hil_pad_s8", "fused", "single", "hil_clamp_s8", "hil_slice_channels_s8"])
    ]


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b'{"cycles": 1}', b"\xff\xff", b'{"cycles": "a"}'])
def test_a_damaged_file_is_measured_anew_and_mended(damage: bytes) -> None:
    tune(chain(), TOOLCHAIN, timer=Timer())
    files = sorted((paths.cache_dir() / "tune").iterdir())
    files[0].write_bytes(damage)
    again = Timer()
    tune(chain(), TOOLCHAIN, timer=again)
    assert [len(names) for names in again.asked] == [1]
    assert len(kept_files := sorted((paths.cache_dir() / "tune").iterdir())) == len(files)
    assert kept.load(kept_files[0].stem, Measurement)


def test_another_compiler_is_another_measurement() -> None:
    other = replace(TOOLCHAIN, compiler=Compiler(NOWHERE, "13.0.0"))
    assert kept.key(TOOLCHAIN, "x") != kept.key(other, "x")


@given(case=graphs.convolutions(), seed=st.integers(0, 99))
def test_weights_do_not_matter_to_a_signature_but_shifts_do(case: graphs.Case, seed: int) -> None:
    op = case.graph.ops[0]
    assert isinstance(op, Convolution)

    def signature(**changes: Any) -> str:
        weights = replace(op.weights, **changes)
        graph = replace(case.graph, ops=(replace(op, weights=weights),))
        half = DeviceHalf(graph)
        return Trial(half, lower.plain(half).steps[0]).signature(np.zeros(1, np.int8))

    values = np.random.default_rng(seed).integers(-127, 128, op.weights.values.shape, dtype=np.int8)
    assert signature() == signature(values=values, bias=op.weights.bias + 5)
    assert signature(shift=np.full_like(op.weights.shift, -3)) != signature(
        shift=np.zeros_like(op.weights.shift)
    )


def test_sending_steps_are_credited_with_what_they_replace() -> None:
    tail = Tail(quantise_cycles=30, encode_cycles=70)
    assert [tail.after(sends) for sends in (Sends.NOTHING, Sends.SYMBOLS, Sends.PAYLOAD)] == [100, 70, 0]


def test_the_table_marks_what_was_taken_and_survives_the_disk(tmp_path: Path) -> None:
    tuned = tune(chain(), TOOLCHAIN, timer=Timer(fused=150))
    rows = explain.table(tuned, tuned.program())
    assert [(row.kernel, row.chosen, row.cycles) for row in rows] == [
        ("hil_pad_s8", True, 100),
        ("fused", True, 150),
        ("single", False, 100),
        ("hil_clamp_s8", False, 100),
        ("hil_slice_channels_s8", False, 100),
    ]
    assert [row.step for row in rows[:2]] == ["pad", "clamp … slice"]
    assert rows[2].scratch_bytes == 64
    explain.save(rows, tmp_path)
    assert explain.load(tmp_path) == rows


def test_a_trial_lays_out_only_what_its_step_touches() -> None:
    half = chain()
    fused = next(step for step in lower.candidates(half, 1) if step.kernel is FUSED)
    trial = Trial(half, fused)
    assert (trial.reads, trial.writes) == (("wide",), ("out",))
    assert trial.offsets == {"wide": 0, "out": 8 * 8 * 4}
    assert isinstance(half.graph.ops[0], Pad)
