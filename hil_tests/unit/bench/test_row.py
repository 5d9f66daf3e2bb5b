"""A row survives being kept, and says what int8 costs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from hil.bench.row import AccuracyRow, as_values, from_values
from hil_tests.unit.bench.rows import ROWS, row


@given(ROWS)
def test_what_was_written_is_read(measured: AccuracyRow) -> None:
    assert from_values(json.loads(json.dumps(as_values(measured)))) == measured


def test_the_drop_is_what_int8_loses() -> None:
    assert row(float_accuracy=0.75, int8_accuracy=0.5).int8_drop == 0.25
    assert as_values(row(float_accuracy=0.5, int8_accuracy=0.75))["int8_drop"] == -0.25


def test_something_else_is_no_row() -> None:
    values = as_values(row())
    with pytest.raises(TypeError):
        from_values({**values, "accuracy_of_tomorrow": 1.0})
    with pytest.raises(KeyError):
        from_values({})
