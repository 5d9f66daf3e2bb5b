"""A sweep measures what the cache lacks, and loses nothing that was measured."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hil.experiments.measure import Cell, Context
from hil.experiments.outcome import perform
from hil.experiments.result import CellError
from hil.experiments.store import Store, StoreError
from hil.experiments.sweep import CellFinished, Planned, Sweep
from hil_tests.unit.experiments.stand_ins import DOUBLE, FATE, MISSING


class Here:
    """Measures in this process; `dies_after` so many it is interrupted."""

    workers = 1

    def __init__(self, dies_after: int | None = None) -> None:
        self.measured: list[dict] = []
        self._dies_after = dies_after

    def run(self, jobs, started, *, one_by_one=False) -> Iterator:
        for job in jobs:
            if self._dies_after is not None and len(self.measured) == self._dies_after:
                raise KeyboardInterrupt
            started(job)
            self.measured.append(dict(job.cell.settings))
            yield job, perform(job)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cells")


def sweep(cells, store, pool=None, **options):
    return Sweep(
        cells, Context(), pool or Here(), store, options.pop("report", lambda event: None), **options
    )


def doubles(*numbers):
    return [Cell(DOUBLE, {"x": x}) for x in numbers]


def test_results_are_in_the_order_of_the_cells(store):
    found = sweep(doubles(3, 1, 2), store).run()
    assert [cell.figures["twice"] for cell in found] == [6, 2, 4]
    assert [cell.settings["x"] for cell in found] == [3, 1, 2]


def test_what_was_measured_is_not_measured_again(store):
    sweep(doubles(1, 2), store).run()
    pool = Here()
    found = sweep(doubles(1, 2, 3), store, pool).run()
    assert pool.measured == [{"x": 3}]
    assert [cell.cached for cell in found] == [True, True, False]
    assert found[0].figures == {"twice": 2}
    assert found[0].sources == {"twice": "modelled"}


def test_again_measures_all_of_it(store):
    sweep(doubles(1), store).run()
    pool = Here()
    sweep(doubles(1), store, pool, again=True).run()
    assert pool.measured == [{"x": 1}]


def test_after_an_interrupt_only_the_rest_is_measured(store):
    first = sweep(doubles(1, 2, 3), store, Here(dies_after=2))
    with pytest.raises(KeyboardInterrupt):
        first.run()
    assert sorted(first.results) == [0, 1]
    pool = Here()
    sweep(doubles(1, 2, 3), store, pool).run()
    assert pool.measured == [{"x": 3}]


def test_cells_that_are_the_same_are_measured_once(store):
    pool = Here()
    found = sweep(doubles(1, 2, 1), store, pool).run()
    assert pool.measured == [{"x": 1}, {"x": 2}]
    assert found[0].figures == found[2].figures


def test_a_failed_cell_keeps_its_reason_and_is_tried_again(store):
    cells = [Cell(FATE, {"fate": fate}) for fate in ("refused", "fine")]
    found = sweep(cells, store).run()
    assert found[0].error == CellError("bundle", "the bundle is damaged", "train it again")
    assert found[1].figures == {"fine": True}
    pool = Here()
    sweep(cells, store, pool).run()
    assert pool.measured == [{"fate": "refused"}]


def test_a_cell_whose_input_is_missing_fails_and_the_others_do_not(store):
    found = sweep([Cell(MISSING, {"x": x}) for x in (1, 2, 3)], store).run()
    assert found[1].error == CellError("usage", "there is no bundle for 2", "train one")
    assert [cell.figures.get("twice") for cell in found] == [2, None, 6]


def test_progress_tells_what_was_there_and_every_cell_that_ends(store):
    sweep(doubles(1), store).run()
    events = []
    cells = [*doubles(1, 2), Cell(MISSING, {"x": 2})]
    sweep(cells, store, report=events.append).run()
    assert events[0] == Planned(cells=3, cached=1, failed=1, workers=1)
    ends = [event.result.settings for event in events if isinstance(event, CellFinished)]
    assert ends == [{"x": 2}]


def test_another_input_makes_another_cell(store):
    one, two = (Cell(MISSING, {"x": x}).key(Context()) for x in (1, 3))
    assert one != two


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"schema": 1}', '{"schema": 99, "found": {}, "seconds": 1}']
)
def test_a_damaged_entry_of_the_cache_is_measured_again(store, tmp_path, damage):
    sweep(doubles(1), store).run()
    (entry,) = tmp_path.glob("cells/*/*.json")
    entry.write_text(damage)
    pool = Here()
    assert sweep(doubles(1), store, pool).run()[0].figures == {"twice": 2}
    assert pool.measured == [{"x": 1}]


def test_a_cell_that_cannot_be_kept_ends_the_sweep_with_what_to_do(tmp_path):
    (tmp_path / "cells").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="cannot keep a finished cell") as caught:
        sweep(doubles(1), Store(tmp_path / "cells")).run()
    assert "HIL_CACHE" in caught.value.hint


def test_a_worker_with_other_inputs_says_so(store):
    cell = Cell(DOUBLE, {"x": 1})

    class Elsewhere(Here):
        def run(self, jobs, started, *, one_by_one=False):
            yield from ((job, perform(type(job)("another key", job.cell, job.context))) for job in jobs)

    (found,) = sweep([cell], store, Elsewhere()).run()
    assert found.error.code == "inputs"
