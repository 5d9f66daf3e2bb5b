"""Whole runs with overlap and without: the same answers, sooner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hil import bundle as bundles
from hil.boards import registry as boards
from hil.boards.options import DEFAULT_CLOCK_HZ, BoardOptions
from hil.data import registry as datasets
from hil.deploy import package
from hil.deploy.deployment import Deployment
from hil.deploy.reference import Oracle
from hil.report.replay import read_events
from hil.report.timeline import chart, median_sample
from hil.report.timeline_svg import timeline_svg
from hil.server.process import ServerProcess, serve_command
from hil.session.events import SampleFinished
from hil.session.options import RunOptions
from hil.session.run import RunResult, run_session
from hil.session.samples import Samples
from hil_tests.twin import firmware

pytestmark = [pytest.mark.twin, pytest.mark.slow]

SAMPLES, CLOCK_HZ = 4, DEFAULT_CLOCK_HZ


@dataclass
class Runs:
    """One firmware, one server half, and runs of them that differ in a setting."""

    deployment: Deployment
    samples: Samples
    server: ServerProcess
    out: Path

    def run(self, radio: str, overlap: bool) -> RunResult:
        options = RunOptions(
            n=SAMPLES, seed=3, radio=radio, server_ms=2.0, overlap=overlap, out=self.out, name="overlap"
        )
        return run_session(
            self.deployment, boards.get("twin", BoardOptions()), self.samples, options=options,
            oracle=Oracle(self.deployment), server=self.server,
        )  # fmt: skip


@pytest.fixture(scope="module")
def runs(digits_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """The digits' bundle with a payload of 1,216 bytes, row by row and not packed at all."""
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    folder = tmp_path_factory.mktemp("overlap")
    opened = bundles.load(digits_bundle)
    payload = opened.manifest.payload
    assert payload is not None
    manifest = replace(opened.manifest, payload=replace(payload, codec="none", order="rows"))
    bundle = folder / "bundle.safetensors"
    bundles.save(bundles.Bundle(manifest, opened.tensors), bundle)
    board = boards.get("twin", BoardOptions())
    deployment = package.find(bundle, board.info, CLOCK_HZ) or package.deploy(bundle, board.info, CLOCK_HZ)
    samples = Samples(datasets.get("digits").load("test", None))
    with ServerProcess(serve_command(bundle)) as server:
        yield Runs(deployment, samples, server, folder / "runs")


@pytest.mark.parametrize("radio", ["wifi-6m", "ble-270k", "wifi-6m:loss=0.2"])
def test_overlap_gives_the_same_answers_sooner(runs: Runs, radio: str) -> None:
    with_it, without = (runs.run(radio, overlap) for overlap in (True, False))
    for result in (with_it, without):
        assert result.summary["valid"], result.summary["issues"]
        assert result.summary["issues"] == []
        assert result.summary["host_agreement"] == 1.0
    answers = [
        [(r.prediction, r.outcome, r.payload_bytes) for r in run.records] for run in (with_it, without)
    ]
    assert answers[0] == answers[1]
    assert with_it.summary["latency_ms"]["overlap"] > 0
    if "loss" not in radio:  # other packets are lost where others are sent
        for sooner, later in zip(with_it.records, without.records, strict=True):
            assert sooner.latency_ms is not None
            assert later.latency_ms is not None
            assert sooner.latency_ms.total < later.latency_ms.total


def test_the_parts_leave_while_the_device_computes_and_the_timeline_shows_it(runs: Runs) -> None:
    result = runs.run("ble-270k", overlap=True)
    records = [event.record for _, event in read_events(result.folder) if isinstance(event, SampleFinished)]
    assert records == list(result.records)
    record = median_sample(records)
    assert record is not None
    timeline, latency = record.timeline, record.latency_ms
    assert timeline is not None
    assert latency is not None
    assert timeline.pieces[0].ready_ms < latency.local
    assert {packet.message_bytes for packet in timeline.uplink[:-1]} == {244}
    assert "244 B" in timeline_svg(chart(result.summary, record))
