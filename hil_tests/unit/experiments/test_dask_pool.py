"""Cells on a Dask cluster, with two workers of it, and without."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hil.cli import main
from hil.errors import UsageError
from hil.experiments import registry
from hil.experiments.dask_pool import ClusterError, DaskPool
from hil.experiments.outcome import Measured
from hil_tests.patience import PATIENCE_S
from hil_tests.unit.experiments.cluster_measures import jobs
from hil_tests.unit.experiments.stand_ins import NUMBERS

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

Wait = Callable[[Callable[[], bool]], None]


def local_cluster(workers: int) -> distributed.LocalCluster:
    """In this process: quickly there."""
    return distributed.LocalCluster(
        n_workers=workers, threads_per_worker=2, processes=False, protocol="tcp", host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    )  # fmt: skip


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with local_cluster(2) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def pool(address: str) -> Iterator[DaskPool]:
    with DaskPool(address) as found:
        yield found


def run(pool: DaskPool, wanted: list, **options: bool) -> dict[int, object]:
    return {
        job.cell.settings["place"]: outcome for job, outcome in pool.run(wanted, lambda _: None, **options)
    }


def test_every_cell_is_measured_once_and_told_of_before(pool):
    told = []
    outcomes = list(pool.run(jobs(7), lambda job: told.append(job.cell.settings["place"])))
    assert sorted(job.cell.settings["place"] for job, _ in outcomes) == list(range(7)) == sorted(told)
    for job, outcome in outcomes:
        assert isinstance(outcome, Measured)
        assert outcome.found.figures["place"] == job.cell.settings["place"]
        assert outcome.found.sources == {"place": "modelled"}


def test_as_many_cells_as_workers_are_under_way_or_one_that_must_be_alone(pool):
    assert pool.workers == 2
    for alone, most in ((False, 2), (True, 1)):
        begun, ended = [], 0
        for _ in pool.run(jobs(4), begun.append, one_by_one=alone):
            assert len(begun) - ended <= most
            ended += 1
        assert ended == 4


def test_a_cell_that_fails_has_its_reason_and_costs_no_other(pool):
    bad = jobs(1, raises="the data set is damaged")
    outcomes = run(pool, [*bad, *jobs(3)[1:]])
    assert (outcomes[0].code, outcomes[0].message) == ("data", "the data set is damaged")
    assert outcomes[0].hint == "look there"
    assert isinstance(outcomes[1], Measured)
    assert isinstance(outcomes[2], Measured)


def test_a_worker_that_reads_something_else_does_not_measure_it(pool, tmp_path):
    bundle = tmp_path / "bundle"
    bundle.write_text("as it was planned")
    wanted = jobs(1, reads=str(bundle))
    bundle.write_text("as the worker has it")
    outcome = run(pool, wanted)[0]
    assert outcome.code == "inputs"
    assert "not the same where it is measured" in outcome.message


def test_a_worker_without_that_file_says_so(pool, tmp_path):
    bundle = tmp_path / "bundle"
    bundle.write_text("here")
    wanted = jobs(1, reads=str(bundle))
    bundle.unlink()
    assert "No such file" in run(pool, wanted)[0].message


def test_a_cell_that_no_worker_understands_is_refused_with_a_reason(pool):
    (job,) = jobs(1)
    foreign = replace(job, cell=replace(job.cell, settings=OnlyHere(place=0)))
    outcome = run(pool, [foreign, *jobs(2)[1:]])
    assert isinstance(outcome[1], Measured)
    assert outcome[0].code == "worker"
    assert "the same hil" in outcome[0].hint


def test_an_interrupt_takes_back_what_no_worker_has_begun(pool, tmp_path):
    going = pool.run(jobs(20, seconds=0.3, notes=str(tmp_path)), lambda _: None)
    next(going)
    going.close()
    begun = len(list(tmp_path.iterdir()))
    assert isinstance(run(pool, jobs(1))[0], Measured), "the cluster is as it was"
    assert len(list(tmp_path.iterdir())) <= begun + 2, "what both workers were at"


def test_hil_experiment_hands_its_cells_to_the_cluster(address, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    monkeypatch.setattr(registry, "EXPERIMENTS", (NUMBERS,))
    monkeypatch.chdir(tmp_path)
    assert main(["experiment", "numbers", "--quick", "--json", "--dask", address]) == 0
    cells = json.loads(capsys.readouterr().out)["cells"]
    assert [cell["figures"]["twice"] for cell in cells] == [2, 2, 4, 4]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "no address of a Dask"),
        ("localhost", "no address of a Dask"),
        ("udp://127.0.0.1:8786", "no protocol 'udp'"),
        ("tcp://127.0.0.1:1", "Connection refused"),
        ("127.0.0.1:notaport", "no address of a Dask"),
    ],
)
def test_an_address_where_nobody_is_is_refused_at_once(given, said, monkeypatch):
    monkeypatch.setattr("hil.experiments.dask_pool._CONNECT_S", PATIENCE_S)
    began_s = time.monotonic()
    with pytest.raises(UsageError, match=said) as caught:
        DaskPool(given)
    assert caught.value.hint
    assert time.monotonic() - began_s < PATIENCE_S, "it did not wait for anybody"


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.2p1\r\n"])
def test_somebody_else_at_the_address_is_no_scheduler(monkeypatch, greeting):
    monkeypatch.setattr("hil.experiments.dask_pool._CONNECT_S", 0.5)

    def greet() -> None:
        connections.append(other.accept()[0])
        connections[0].sendall(greeting)

    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(UsageError, match="no Dask scheduler answers"):
            DaskPool(f"tcp://127.0.0.1:{other.getsockname()[1]}")


def test_without_dask_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="not installed") as caught:
        DaskPool("tcp://127.0.0.1:8786")
    assert caught.value.hint == "pip install 'hil[dask]'"


class OnlyHere(dict):
    """Settings that cannot be taken apart on the other side."""

    def __reduce__(self) -> object:
        return _from_nowhere, ()


def _from_nowhere() -> None:
    raise ModuleNotFoundError("No module named 'hil'")


@dataclass
class Cluster:
    """A scheduler and two workers, each a process of its own."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]

    @classmethod
    def start(cls, folder: Path) -> Cluster:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        address = f"tcp://127.0.0.1:{port}"
        scheduler = _start("scheduler", "--host", "127.0.0.1", "--port", str(port))
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(folder))
        return cls(address, scheduler, [_start("worker", address, *options) for _ in range(2)])

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def _start(role: str, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{role}", "--no-dashboard", *options],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    found = Cluster.start(tmp_path)
    try:
        with distributed.Client(found.address, timeout=PATIENCE_S, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE_S)
        yield found
    finally:
        found.stop()


def test_a_worker_that_dies_costs_no_cell_and_a_scheduler_that_dies_ends_the_sweep(cluster):
    with DaskPool(cluster.address) as pool:
        going = pool.run(jobs(6, seconds=0.4), lambda _: None)
        first = next(going)[1]
        os.kill(first.found.figures["pid"], signal.SIGKILL)
        outcomes = [first, *(outcome for _, outcome in going)]
        assert sorted(outcome.found.figures["place"] for outcome in outcomes) == list(range(6))
        assert pool.workers == 1

        going = pool.run(jobs(4, seconds=0.2), lambda _: None)
        assert isinstance(next(going)[1], Measured)
        cluster.scheduler.kill()
        with pytest.raises(ClusterError, match="is gone") as caught:
            list(going)
        assert "finished cells are kept" in caught.value.hint


def test_a_cluster_whose_last_worker_leaves_is_waited_for_and_then_given_up():
    with local_cluster(1) as cluster, DaskPool(cluster.scheduler_address, patience_s=0.2) as pool:
        going = pool.run(jobs(9, seconds=0.2), lambda _: None)
        next(going)
        cluster.scale(0)
        with pytest.raises(ClusterError, match=r"no worker for 0\.2 s") as caught:
            list(going)
        assert "finished cells are kept" in caught.value.hint
        with pytest.raises(UsageError, match="has no workers"):
            DaskPool(cluster.scheduler_address)
