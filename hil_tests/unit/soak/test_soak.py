"""The parts of a soak: what it draws, what it calls flat, and what it says."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.faults.kinds.orchestrator_kill import ORCHESTRATOR_KILL
from hil.faults.parse import parse_fault
from hil.faults.registry import KINDS
from hil.report.soak import line, soak_markdown, soak_page
from hil.soak.deck import draws
from hil.soak.resources import held
from hil.soak.result import Round, Soak
from hil.soak.trend import trend

MIB = 1 << 20


@given(st.integers(0, 1000))
def test_every_kind_of_the_board_is_drawn_and_the_same_for_the_same_seed(seed: int) -> None:
    drawn = list(islice(draws(seed, "twin"), 64))
    assert drawn == list(islice(draws(seed, "twin"), 64))
    kinds = {parse_fault(text).kind.name for draw in drawn for text in draw.inject}
    assert kinds == {name for name, kind in KINDS.items() if kind.boards is None or "twin" in kind.boards}


def test_a_killed_run_carries_nothing_else_and_few_runs_need_a_server_of_their_own() -> None:
    drawn = list(islice(draws(0, "twin"), 64))
    for draw in drawn:
        kinds = [parse_fault(text).kind for text in draw.inject]
        assert ORCHESTRATOR_KILL not in kinds or len(kinds) == 1
        assert not any(kind.own_server for kind in kinds) or draw.scheme != "mcunet"
    served = [draw for draw in drawn if any(parse_fault(text).kind.own_server for text in draw.inject)]
    assert len(served) == len(drawn) // 8


def test_a_leak_is_found_and_noise_is_none() -> None:
    noise = random.Random(0)
    level = [400 * MIB + noise.randrange(-2 * MIB, 2 * MIB) for _ in range(40)]
    leak = [value + number * MIB for number, value in enumerate(level)]
    assert trend(level, 0.02, 8 * MIB).flat
    found = trend(leak, 0.02, 8 * MIB)
    assert not found.flat
    assert found.slope == pytest.approx(MIB, rel=0.2)


def test_what_fills_at_the_start_is_no_leak_and_a_single_peak_is_none() -> None:
    filling = [min(400, 200 + 20 * number) * MIB for number in range(30)]
    assert trend(filling, 0.02, 8 * MIB).growth == 0
    peak = [100.0] * 20
    peak[15] = 10_000.0
    assert trend(peak, 0.0, 1.0).flat


def test_a_handle_lost_in_every_other_run_is_found() -> None:
    assert not trend([6 + number // 2 for number in range(20)], 0.0, 1.0).flat


def test_few_values_have_no_trend() -> None:
    assert trend([1.0] * 6, 0.0, 1.0) is None


def test_this_process_holds_memory_and_handles() -> None:
    now = held()
    assert now.rss_bytes is None or now.rss_bytes > MIB
    with open("/dev/null") as file:
        assert file.fileno() >= 0
        assert now.handles is None or held().handles == now.handles + 1


def made(count: int = 12, **changes: object) -> Soak:
    one = Round(
        0, "agilenn", "wifi-6m", 1, ("frame-loss:rate=0.15",), 20, 400.0, 4.0,
        {"frame-loss": {"retried": 3}}, 400 * MIB, 6,
    )  # fmt: skip
    rounds = [replace(one, number=number, **changes) for number in range(count)]
    return Soak(1.0, True, 0, "twin", "twin_cycles", {}, rounds)


def test_a_sound_soak_says_so_in_every_form() -> None:
    soak = made()
    assert soak.complete
    assert soak.reasons == []
    document = json.loads(json.dumps(soak.to_json()))
    assert document["sound"] is True
    assert document["injected"] == {"frame-loss": {"retried": 36}}
    assert "Sound." in soak_markdown(soak)
    page = soak_page(soak)
    assert "Sound." in page
    assert page.count("<svg") == 2
    assert "36" in page
    assert "frame-loss:rate=0.15" in line(soak.rounds[0], soak)


@pytest.mark.parametrize(
    ("soak", "word"),
    [
        (made(3), "it ended after 0.33 of 1 hours"),
        (made(strange=("frame-loss at sample 3: silent",)), "silent"),
        (replace(made(), rounds=[replace(r, handles=r.number) for r in made().rounds]), "file handles grew"),
        (
            replace(made(), rounds=[replace(r, rss_bytes=(400 + 3 * r.number) * MIB) for r in made().rounds]),
            "memory grew",
        ),
    ],
)
def test_what_is_not_sound_is_said(soak: Soak, word: str) -> None:
    assert any(word in reason for reason in soak.reasons)
    assert soak.to_json()["sound"] is False
    assert word in soak_markdown(soak)
    assert word in soak_page(soak)
