"""Many runs with faults: whose turn it is, what is kept, and how it is added up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from hil.cli import main
from hil.errors import UsageError
from hil.faults import campaign as campaigns
from hil.faults.campaign import Cell, campaign, cells
from hil.faults.kind import Kind
from hil.faults.outcome import Outcome
from hil.faults.places import BEHIND_PROBE, Places, place, planned
from hil.faults.registry import KINDS
from hil.faults.trial import Struck, Trial
from hil.pipeline import Request
from hil.probe.registry import Entry
from hil.report.faults import BEGIN, END, on_page, totals_values
from hil.twin.desk import lent

Runs = list[Cell]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Callable[[Outcome], Runs]:
    """Makes every run bring ten faults that end so, and tells which runs there were."""

    def make(outcome: Outcome) -> Runs:
        runs: Runs = []

        def run(cell: Cell, kind: Kind, request: Request) -> Trial:
            runs.append(cell)
            struck = tuple(Struck(kind.name, n, "", outcome, "so") for n in range(10))
            return Trial(struck, (), {}, "it ended" if kind.ends_run else "")

        monkeypatch.setattr(campaigns, "run_cell", run)
        return runs

    return make


def test_schemes_and_settings_take_turns_and_no_run_comes_twice() -> None:
    kind = KINDS["frame-loss"]
    first = list(islice(cells(kind, 7), 24))
    assert {cell.scheme for cell in first} == {"agilenn", "spinn", "deepcod", "mcunet", "edge_only"}
    assert {cell.order for cell in first} == {f"frame-loss:{settings}" for settings in kind.trials}
    assert len({cell.key for cell in first}) == 24


def test_a_fault_of_the_server_half_passes_a_scheme_without_one_over() -> None:
    assert "mcunet" not in {cell.scheme for cell in islice(cells(KINDS["server-hang"], 0), 24)}


def test_a_campaign_on_the_twin_leaves_no_kind_out(
    tmp_path: Path, ran: Callable[[Outcome], Runs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Places, "request", lambda places, kind: Request())  # no twin on a desk
    ran(Outcome.RETRIED)
    totals = campaign(tuple(KINDS), 1, 0, "twin", tmp_path)
    assert [total.kind for total in totals] == list(KINDS.values())
    assert all(total.injected for total in totals)


def test_a_kind_goes_where_it_can_be_had() -> None:
    anywhere, inside, cables = (KINDS[name] for name in ("frame-loss", "watchdog", "serial-unplugged"))
    assert [place(kind, "twin") for kind in (anywhere, inside, cables)] == ["twin", "twin", BEHIND_PROBE]
    assert planned((anywhere, inside, cables), "renode") == [anywhere]
    assert planned((anywhere, inside, cables), "stm32f746") == [anywhere, cables]
    with pytest.raises(UsageError, match="unknown board"):
        planned((cables,), "stm32")


def test_cables_are_those_of_a_twin_that_is_put_on_the_desk_once(monkeypatch: pytest.MonkeyPatch) -> None:
    desks = []

    @contextmanager
    def stand_in(board: str, flash: Path) -> Iterator[Entry]:
        desks.append(flash.parent)
        yield Entry("LENT1", 1, 1, "t", board, "/dev/pts/1")

    monkeypatch.setattr(lent, "lent", stand_in)
    monkeypatch.setenv("HIL_PROBE", "ANOTHER")
    with Places("twin") as places:
        assert places.request(KINDS["frame-loss"]) == Request()
        assert desks == []
        requests = {places.request(KINDS[name]) for name in ("serial-unplugged", "probe-unplugged")}
        (folder,) = desks
        assert folder.is_dir()
    assert not folder.exists()
    (request,) = requests
    assert request.board == BEHIND_PROBE
    assert (request.board_options.probe, request.board_options.serial_port) == ("LENT1", "/dev/pts/1")


def test_a_kind_is_injected_until_it_was_often_enough(tmp_path: Path, ran: Callable[[Outcome], Runs]) -> None:
    runs = ran(Outcome.RETRIED)
    (total,) = campaign(["frame-loss"], 35, 0, "twin", tmp_path)
    assert len(runs) == 4
    assert (total.injected, total.outcomes["retried"], total.sound) == (40, 40, True)


def test_a_campaign_that_was_ended_goes_on_where_it_was(
    tmp_path: Path, ran: Callable[[Outcome], Runs]
) -> None:
    runs = ran(Outcome.RETRIED)
    campaign(["frame-loss"], 20, 0, "twin", tmp_path)
    kept = tmp_path / "runs-twin.jsonl"
    kept.write_text(kept.read_text() + '{"key": "half a li')
    (total,) = campaign(["frame-loss"], 40, 0, "twin", tmp_path)
    assert total.injected == 40
    assert len(runs) == 4, "two of them from before"


def test_what_was_found_on_one_board_is_not_told_of_another(
    tmp_path: Path, ran: Callable[[Outcome], Runs]
) -> None:
    runs = ran(Outcome.RETRIED)
    for board in ("stm32f746", "renode"):
        campaign(["frame-loss"], 20, 0, board, tmp_path)
    assert len(runs) == 4


def test_a_kind_that_never_takes_place_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaigns, "run_cell", lambda cell, kind, request: Trial((), (), {}))
    (total,) = campaign(["frame-loss"], 35, 0, "twin", tmp_path)
    assert total.injected == 0


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [(Outcome.SILENT, "frame-loss"), (Outcome.HANG, "frame-loss"), (Outcome.FAILED, "frame-duplicate")],
)
def test_what_a_kind_is_not_meant_to_have_is_named(
    tmp_path: Path, ran: Callable[[Outcome], Runs], outcome: Outcome, kind: str
) -> None:
    ran(outcome)
    (total,) = campaign([kind], 5, 0, "twin", tmp_path)
    assert not total.sound
    assert len(total.strange) == 10
    assert f"sample 3: {outcome}" in total.strange[3]
    assert totals_values([total])["sound"] is False


@pytest.mark.parametrize(
    ("kind", "error", "named"),
    [
        ("probe-unplugged", "", "the run went on"),
        ("probe-unplugged", "no probe", None),
        ("serial-unplugged", "no probe", "the run ended: no probe"),
        ("serial-unplugged", "", None),
    ],
)
def test_a_run_ends_early_where_its_kind_says_so_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, error: str, named: str | None
) -> None:
    ended = Trial((Struck(kind, 3, "", Outcome.FAILED, "so"),), (), {}, error)
    monkeypatch.setattr(campaigns, "run_cell", lambda cell, kind, request: ended)
    (total,) = campaign([kind], 1, 0, "stm32f746", tmp_path)
    assert total.sound == (named is None)
    assert all(line.endswith(str(named)) for line in total.strange)


def test_the_table_takes_its_place_on_the_page_and_nothing_else(
    tmp_path: Path, ran: Callable[[Outcome], Runs]
) -> None:
    ran(Outcome.ANSWERED)
    totals = campaign(["frame-loss"], 5, 0, "twin", tmp_path)
    page = on_page(f"before\n{BEGIN}\nold\n{END}\nafter\n", totals)
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "old" not in page
    assert "| frame-loss | link | 10 | 10 |" in page
    assert on_page(page, totals) == page
    with pytest.raises(UsageError, match="no place"):
        on_page("nothing", totals)


def test_the_verb_tells_by_its_exit_code_what_came_of_it(
    tmp_path: Path, ran: Callable[[Outcome], Runs], capsys: pytest.CaptureFixture[str]
) -> None:
    ran(Outcome.RETRIED)
    out = str(tmp_path / "sound")
    assert main(["faults", "frame-loss", "--count", "5", "--out", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kinds"]["frame-loss"]["outcomes"] == {"retried": 10}
    ran(Outcome.SILENT)
    assert main(["faults", "frame-loss", "--count", "5", "--out", str(tmp_path / "other")]) == 1
    assert "never meant to be" in capsys.readouterr().err
    assert main(["faults", "frame-los"]) == 2


def test_all_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--inject", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(kind in shown for kind in KINDS)


def test_an_unknown_fault_is_refused_before_anything_is_built(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--inject", "frame-los"]) == 2
    assert "frame-loss" in capsys.readouterr().err
