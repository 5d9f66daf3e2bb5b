"""A firmware that is not what was flashed: found at the start, when a sample disagrees, and at the end."""

from __future__ import annotations

import pytest
from hil_tests.unit.session.fake_device import Mishaps
from hil_tests.unit.session.fakes import FakeBoard, run_fake

from hil.errors import FirmwareDamagedError


def issues(result) -> set[str]:
    return {issue["code"] for issue in result.summary["issues"]}


def test_a_run_ends_with_a_check_and_says_what_it_found(tmp_path):
    board = FakeBoard()
    summary = run_fake(tmp_path, board).summary
    assert board.mishaps.checks == 1
    assert summary["integrity"] == {
        "sound": True, "checks": 1, "covered_bytes": 5000, "cycles": 40_000, "source": "twin_cycles",
    }  # fmt: skip


def test_a_firmware_damaged_at_the_start_is_flashed_once_more(tmp_path):
    board = FakeBoard(mishaps=Mishaps(damaged_starts=1))
    result = run_fake(tmp_path, board)
    assert len(board.started) == 2
    assert board.started[0].stopped
    assert issues(result) == {"firmware-repaired"}
    assert result.summary["valid"]


def test_a_firmware_damaged_at_every_start_ends_the_run_with_what_to_do(tmp_path):
    board = FakeBoard(mishaps=Mishaps(damaged_starts=10))
    with pytest.raises(FirmwareDamagedError, match="flash the board again"):
        run_fake(tmp_path, board)
    assert len(board.started) == 2
    assert all(running.stopped for running in board.started)


def test_damage_found_at_the_end_makes_the_run_invalid(tmp_path):
    result = run_fake(tmp_path, FakeBoard(mishaps=Mishaps(damaged=lambda check: True)))
    assert issues(result) == {"firmware-damaged"}
    assert not result.summary["valid"]
    assert result.summary["integrity"]["sound"] is False


def test_a_sample_that_disagrees_has_the_firmware_checked(tmp_path):
    board = FakeBoard(mishaps=Mishaps(wrong_logits=True))
    result = run_fake(tmp_path, board, n=3)
    assert board.mishaps.checks == 3 + 1
    assert len(board.started) == 1, "a sound firmware is left alone"
    assert issues(result) == {"disagreement"}


def test_a_sample_computed_by_a_damaged_firmware_runs_again_on_a_board_flashed_anew(tmp_path):
    board = FakeBoard(mishaps=Mishaps(wrong_logits=True))

    def damaged(check: int) -> bool:
        board.mishaps.wrong_logits = False
        return check == 0

    board.mishaps.damaged = damaged
    result = run_fake(tmp_path, board, n=3)
    assert len(board.started) == 2
    assert [record.agrees for record in result.records] == [True] * 3
    assert issues(result) == {"firmware-damaged"}, "what ran before could not be trusted either"
    assert not result.summary["valid"]


def test_a_sample_that_a_damaged_firmware_could_not_compute_runs_again(tmp_path):
    mishaps = Mishaps(failures={1: 1}, damaged=lambda check: check == 0)
    result = run_fake(tmp_path, FakeBoard(mishaps=mishaps), n=3)
    assert [record.outcome for record in result.records] == ["answered"] * 3
    assert issues(result) == {"firmware-damaged"}


def test_a_device_that_does_not_answer_the_check_is_told(tmp_path):
    result = run_fake(tmp_path, FakeBoard(mishaps=Mishaps(deaf_to_checks=True)))
    assert issues(result) == {"firmware-unchecked"}
    assert result.summary["integrity"]["sound"] is None
