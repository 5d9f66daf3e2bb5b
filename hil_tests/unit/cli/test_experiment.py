"""`hil experiment`: what a stranger types, and what comes of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from hil.cli import main
from hil.experiments import registry
from hil.experiments.experiment import Column, Experiment, Variable
from hil_tests.unit.experiments.stand_ins import FATE, MISSING, NUMBERS

FATES = Experiment(
    "fates", "Which way?", "", FATE, (Variable("fate", ("fine", "refused")),), {}, (Column("fine", "fine"),)
)
GAPS = Experiment("gaps", "Where?", "", MISSING, (Variable("x", (1, 2, 3)),), {}, (Column("twice", "twice"),))


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(registry, "EXPERIMENTS", (NUMBERS, FATES, GAPS))
    monkeypatch.chdir(tmp_path)


def result(tmp_path: Path, name: str) -> dict:
    found: dict = json.loads((tmp_path / "runs/experiments" / name / "experiment.json").read_text())
    return found


def test_an_experiment_ends_in_a_table_and_a_folder(tmp_path, capsys):
    assert main(["experiment", "numbers", "--quick"]) == 0
    assert "What is twice a number?" in " ".join(capsys.readouterr().out.split())
    kept = result(tmp_path, "numbers-digits-quick")
    assert [cell["figures"]["twice"] for cell in kept["cells"]] == [2, 2, 4, 4]
    assert kept["command"] == "hil experiment numbers --quick"
    assert not kept["partial"]


def test_a_second_time_measures_nothing(capsys):
    main(["experiment", "numbers", "--quick"])
    capsys.readouterr()
    assert main(["experiment", "numbers", "--quick", "--json"]) == 0
    printed = capsys.readouterr()
    assert all(cell["cached"] for cell in json.loads(printed.out)["cells"])
    assert "4 cells, 4 of them measured before" in printed.err


def test_failed_cells_are_named_the_rest_is_measured_and_the_exit_code_is_1(tmp_path, capsys):
    assert main(["experiment", "fates"]) == 1
    printed = capsys.readouterr()
    assert "the bundle is damaged; train it again" in " ".join(printed.out.split())
    cells = result(tmp_path, "fates-digits")["cells"]
    assert [cell["error"] and cell["error"]["code"] for cell in cells] == [None, "bundle"]


def test_a_missing_bundle_is_a_failed_cell(tmp_path, capsys):
    assert main(["experiment", "gaps"]) == 1
    assert "there is no bundle for 2; train one" in " ".join(capsys.readouterr().out.split())
    assert [cell["figures"] for cell in result(tmp_path, "gaps-digits")["cells"]] == [
        {"twice": 2},
        {},
        {"twice": 6},
    ]


def test_all_of_them_are_measured_in_one_sweep(tmp_path, capsys):
    assert main(["experiment", "all", "--quick", "--json"]) == 1
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["numbers", "fates", "gaps"]
    assert len(list((tmp_path / "runs/experiments").iterdir())) == 3


def test_the_list_names_every_experiment(capsys):
    assert main(["experiment", "list", "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["numbers", "fates", "gaps"]
    assert main(["experiment", "list"]) == 0
    assert "numbers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["number"], "did you mean 'numbers'"),
        (["numbers", "--set", "y=1"], "unknown variable 'y'"),
        (["numbers", "--set", "x=one"], "x cannot be 'one'"),
        (["numbers", "--dataset", "digit"], "unknown data set 'digit'"),
        (["fates", "--board", "twin"], "runs on no board"),
    ],
)
def test_what_does_not_exist_is_refused_before_anything_is_measured(tmp_path, capsys, arguments, message):
    assert main(["experiment", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--dask", "tcp://127.0.0.1:1"], "no Dask scheduler answers at tcp://127.0.0.1:1"),
        (["--dask", "nowhere"], "'nowhere' is no address of a Dask scheduler"),
        (["--dask", "tcp://127.0.0.1:1", "--jobs", "2"], "--jobs beside --dask"),
    ],
)
def test_a_cluster_that_is_not_there_is_refused_before_anything_is_measured(tmp_path, capsys, options, said):
    pytest.importorskip("distributed", reason="Dask is not installed")
    assert main(["experiment", "numbers", *options]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_without_dask_the_hint_is_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["experiment", "numbers", "--dask", "tcp://127.0.0.1:8786"]) == 2
    printed = capsys.readouterr().err
    assert "Dask is not installed" in printed
    assert "pip install 'hil[dask]'" in printed
