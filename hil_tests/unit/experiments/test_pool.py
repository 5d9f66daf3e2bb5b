"""Cells in processes: each ends in figures or a reason, whatever becomes of its process."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

from hil.experiments.measure import Cell, Context
from hil.experiments.outcome import Job, Measured
from hil.experiments.pool import ProcessPool
from hil.experiments.result import CellError
from hil_tests.patience import eventually
from hil_tests.unit.experiments.stand_ins import ALONE, DOUBLE, FATE


def jobs(measure, *settings):
    context = Context()
    cells = [Cell(measure, each) for each in settings]
    return [Job(cell.key(context), cell, context) for cell in cells]


def outcomes(pool, wanted, **options):
    return {job.key: outcome for job, outcome in pool.run(wanted, lambda job: None, **options)}


def test_every_job_ends_once_with_what_it_found():
    wanted = jobs(DOUBLE, {"x": 1}, {"x": 2}, {"x": 3})
    found = outcomes(ProcessPool(2), wanted)
    assert [found[job.key].found.figures["twice"] for job in wanted] == [2, 4, 6]


def test_a_cell_that_fails_or_whose_process_dies_takes_no_other_with_it():
    wanted = jobs(
        FATE, *({"fate": fate} for fate in ("fine", "refused", "broken", "killed")), {"fate": "fine", "x": 2}
    )
    ended = outcomes(ProcessPool(2), wanted)
    found = [ended[job.key] for job in wanted]
    assert isinstance(found[0], Measured)
    assert found[1] == CellError("bundle", "the bundle is damaged", "train it again")
    assert found[2].code == "internal"
    assert "ZeroDivisionError: one over none" in found[2].message
    assert found[3].code == "worker-died"
    assert isinstance(found[4], Measured)


def test_as_many_cells_run_at_a_time_as_there_are_workers():
    begun = []
    wanted = jobs(DOUBLE, *({"x": x} for x in range(6)))
    ended = [job for job, _ in ProcessPool(2).run(wanted, begun.append)]
    assert begun == wanted, "in their order, none of them twice"
    assert sorted(job.key for job in ended) == sorted(job.key for job in wanted)


def test_one_by_one_means_that_nothing_runs_beside():
    found = outcomes(ProcessPool(2), jobs(ALONE, {"x": 1}, {"x": 2}), one_by_one=True)
    first, second = sorted((each.found.figures for each in found.values()), key=lambda each: each["began_s"])
    assert first["ended_s"] <= second["began_s"]


def test_closing_the_iterator_ends_what_is_under_way(tmp_path):
    log = tmp_path / "began"
    wanted = jobs(FATE, {"fate": "fine"}, {"fate": "slow", "log": str(log)})
    running = ProcessPool(2).run(wanted, lambda job: None)
    next(running)
    wait_for(log)
    running.close()
    assert not multiprocessing.active_children()


def test_a_worker_ends_with_a_parent_that_was_killed(tmp_path):
    log = tmp_path / "began"
    parent = multiprocessing.get_context("spawn").Process(target=run_slowly, args=(str(log),))
    parent.start()
    worker = wait_for(log)
    os.kill(parent.pid, signal.SIGKILL)
    parent.join()
    eventually(lambda: not Path(f"/proc/{worker}").exists())


def run_slowly(log):
    for _ in ProcessPool(1).run(jobs(FATE, {"fate": "slow", "log": log}), lambda job: None):
        pass


def wait_for(path):
    """The process that wrote its number to `path`."""
    return eventually(lambda: path.exists() and path.read_text())
