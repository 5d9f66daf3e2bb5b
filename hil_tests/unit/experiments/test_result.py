"""A result survives its file, and nothing else is taken for one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import UsageError
from hil.experiments import folder
from hil.experiments.experiment import Chart, Column
from hil.experiments.result import Beside, CellError, CellResult, Result

names = st.text(min_size=1, max_size=4)
figures = st.dictionaries(
    names, st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
)
cells = st.builds(
    CellResult,
    settings=figures,
    key=names,
    figures=figures,
    sources=st.dictionaries(names, names, max_size=2),
    curves=st.dictionaries(
        names, st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3), max_size=2
    ),
    seconds=st.floats(0, 1e6),
    cached=st.booleans(),
    error=st.none() | st.builds(CellError, names, names, names),
)


def result(found=()) -> Result:
    return Result(
        name="numbers",
        question="What?",
        paper="Nothing.",
        measure="double",
        quick=False,
        command="hil experiment numbers",
        variables={"x": (1, 2)},
        fixed={"dataset": "digits"},
        columns=(Column("x", "x", "ms", 2),),
        charts=(Chart("x over y", "x", "y", "scheme", "scatter", True),),
        cells=tuple(found),
        beside=(Beside("what", "1", "2", "worse"),),
    )


@settings(max_examples=30)
@given(st.lists(cells, max_size=3))
def test_json_gives_back_what_it_was_given(found):
    one = result(found)
    assert Result.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_a_folder_gives_back_what_was_saved(tmp_path):
    where = folder.save(result(), tmp_path)
    assert where.name == "numbers-digits"
    assert folder.load(where) == folder.load(where / "experiment.json") == result()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": 1}', '{"schema": 2}', "null"])
def test_anything_else_is_refused(tmp_path, content):
    (tmp_path / "experiment.json").write_text(content)
    with pytest.raises(UsageError):
        folder.load(tmp_path)


def test_a_folder_without_a_result_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        folder.load(tmp_path)
