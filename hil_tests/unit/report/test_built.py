"""What a build made, as values and as tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from hil.boards.protocol import BoardInfo
from hil.deploy.codecs.pack import Packed
from hil.measure.source import Source
from hil.report.built import Built, as_values, print_built
from hil_tests.unit.session.fakes import Model, deployment

BOARD = BoardInfo("twin", "", "disco_f746g", 1 << 20, 320 << 10, True, Source.TWIN_CYCLES, 921_600)


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return Built(deployment(tmp_path, Model()), BOARD, tmp_path / "hil.elf", Packed(tmp_path), "none")


def test_the_map_is_shown_where_asked_for(built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    print_built(built, Console(), arena_map=False)
    assert "offset" not in capsys.readouterr().out
    print_built(built, Console(), arena_map=True)
    shown = capsys.readouterr().out
    assert "offset" in shown
    assert "the least that its buffers can take" in shown


def test_the_values_have_the_plan_and_leave_out_what_nobody_asked_for(built: Built) -> None:
    values = json.loads(json.dumps(as_values(built)))
    assert values["memory"]["buffers"][0]["name"] == "x"
    assert values["elf"] == str(built.elf.resolve())
    assert not {"candidates", "codecs"} & set(values)
