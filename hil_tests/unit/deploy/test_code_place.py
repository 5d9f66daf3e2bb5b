"""Which steps' code goes to ITCM: those that save most cycles, as far as there is room."""

from __future__ import annotations

from itertools import chain as flatten
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hil_tests.stand_in_kernels import StandIn, chain
from hypothesis import given
from hypothesis import strategies as st

from hil.deploy import lower
from hil.deploy.build import Toolchain
from hil.deploy.emit import itcm_script
from hil.deploy.graph import Clamp, Slice
from hil.deploy.toolchain import CmsisSources, Compiler
from hil.deploy.tune import code_place
from hil.deploy.tune.code_place import IN_ITCM, Moved, to_itcm
from hil.deploy.tune.image import Place
from hil.deploy.tune.measure import Measurement
from hil.deploy.tune.trial import Trial
from hil.deploy.tune.tuner import Tuned, place

NOWHERE = Path("none")
TOOLCHAIN = Toolchain(
    Compiler(NOWHERE, "12.2.1"), CmsisSources(NOWHERE, NOWHERE, NOWHERE, ""), Path("key") / "libcmsis-nn.a"
)
SAMPLE = np.zeros(1, np.int8)


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    monkeypatch.setattr(lower, "SPECIALISED", (StandIn("low", (Clamp,)), StandIn("cut", (Slice,))))


def _tuned(low: Measurement, cut: Measurement) -> Tuned:
    """Both stand-ins are faster than what they replace."""
    half = chain()
    trials = tuple(Trial(half, step) for first in range(3) for step in lower.candidates(half, first))
    known = {"low": low, "cut": cut}
    found = {place(one.step): known.get(one.step.kernel.name, Measurement(10**6, 9000, 0)) for one in trials}
    return Tuned(half, trials, found, None)


def _moved(tuned: Tuned, in_itcm: dict[str, int]) -> list[tuple[int, int]]:
    def timer(toolchain: Toolchain, given: Tuned, sample: object, trial: Trial, where: Place) -> int:
        return in_itcm[trial.step.kernel.name] if where is IN_ITCM else 1000

    return [(one.index, one.saved) for one in to_itcm(tuned, tuned.program(), TOOLCHAIN, SAMPLE, timer)]


def test_long_code_that_is_quicker_there_is_moved() -> None:
    tuned = _tuned(Measurement(1000, 5000, 0), Measurement(1000, 5000, 0))
    assert _moved(tuned, {"low": 880, "cut": 920}) == [(1, 120)]


def test_short_code_is_not_even_tried() -> None:
    assert _moved(_tuned(Measurement(1000, 500, 0), Measurement(1000, 500, 0)), {}) == []


def test_where_there_is_no_room_for_both_the_one_that_saves_more_is_moved() -> None:
    tuned = _tuned(Measurement(1000, 9000, 0), Measurement(1000, 9000, 0))
    assert _moved(tuned, {"low": 880, "cut": 800}) == [(2, 200)]


def test_it_is_measured_once() -> None:
    tuned = _tuned(Measurement(1000, 5000, 0), Measurement(1000, 5000, 0))
    first = _moved(tuned, {"low": 880, "cut": 880})
    assert first == _moved(tuned, {})


moves = st.builds(Moved, st.integers(0, 99), st.just(0), st.integers(1, 1000), st.integers(1, 1000))


@given(worth=st.lists(moves, max_size=7), room=st.integers(0, 2500))
def test_no_other_choice_that_fits_saves_more(worth: list[Moved], room: int) -> None:
    def size(chosen: tuple[Moved, ...]) -> int:
        return sum(one.code_bytes + -one.code_bytes % 16 for one in chosen)

    every = flatten.from_iterable(combinations(worth, count) for count in range(len(worth) + 1))
    best = max(sum(one.saved for one in chosen) for chosen in every if size(chosen) <= room)
    taken = code_place._most_saving(worth, room)
    assert size(taken) <= room
    assert sum(one.saved for one in taken) == best


def test_the_link_script_takes_the_functions_of_a_step_and_no_other() -> None:
    program = lower.plain(chain())
    assert itcm_script(program, []) == ""
    assert itcm_script(program, [2]) == "*(.text.layer2_slice .text.layer2_slice_* .text.layer2_slice.*)\n"
