"""A server process is measured beside the bare forward pass: every figure is there and hangs together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hil.bench import server
from hil.bench.serving import payloads
from hil.bench.serving.books import memory_mb, read
from hil.errors import ServerError
from hil.experiments.measure import Context
from hil.experiments.measures.serve import SERVE
from hil.zoo.shelf import FOLDER

ROOT = Path(__file__).parents[3]


def test_one_server_is_asked_at_saturation_at_a_rate_and_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("prometheus_client")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "host")]))
    monkeypatch.setattr(server, "_BARE_S", 0.02)
    monkeypatch.setattr(server, "_SAMPLE_S", 0.1)
    monkeypatch.setattr(payloads, "_encode", lambda bundle, split: _payloads(split))
    monkeypatch.setattr(payloads, "_load", lambda path: None)
    report = _answered_report()
    assert (report.scheme, report.dataset) == ("agilenn", "digits")
    assert report.saturation.answered == 1
    assert report.saturation.throughput_per_s > 0
    assert 1 <= report.saturation.batch_mean <= 3
    assert report.points[0].offered_per_s == 30
    assert report.points[0].p50_ms <= report.points[0].p99_ms
    assert report.saturation.cpu_share_of_bare > 0
    assert report.memory.answered > 0
    assert server.as_values(report)["bare"]["forward_per_s"] > 0


def _answered_report() -> server.ServerReport:
    """Of loads that lasted long enough for an answer to each, however busy the machine is."""
    for seconds in (0.3, 3.0, 30.0):
        settings = server.Settings(
            devices=3, seconds=seconds, rates_per_s=(30.0,), minutes=seconds / 30, images=4
        )
        report = server.measure(FOLDER / "agilenn-digits.safetensors", settings, lambda *said: None)
        if report.saturation.answered and report.points[0].p50_ms is not None and report.memory.answered:
            break
    return report


def _payloads(split: object) -> tuple[bytes, ...]:
    import numpy as np

    from hil import bundle
    from hil.codec.coder import make_coder

    loaded = bundle.load(FOLDER / "agilenn-digits.safetensors")
    coder = make_coder(loaded.manifest.payload, loaded.part("codec"))
    rng = np.random.default_rng(0)
    return tuple(coder.encode(rng.integers(0, 8, coder.form.symbols, dtype=np.uint8)) for _ in range(4))


@pytest.mark.parametrize(
    ("megabytes", "slope"), [((300.0,) * 8, 0.0), (tuple(300 + 0.001 * at for at in range(8)), 12.0)]
)
def test_the_slope_is_of_the_second_half(megabytes: tuple[float, ...], slope: float) -> None:
    seconds = tuple(5.0 * at for at in range(8))
    assert server.MemoryRun(1.0, 1, seconds, megabytes).slope_kb_per_minute == pytest.approx(slope, abs=1e-6)
    assert server.MemoryRun(1.0, 1, seconds[:2], megabytes[:2]).slope_kb_per_minute is None


def test_nobody_there_is_an_error_and_no_process_has_no_memory() -> None:
    with pytest.raises(ServerError, match="no metrics at port 1"):
        read(1)
    assert memory_mb(os.getpid()) > 1
    assert memory_mb(2**30) is None


def test_a_cell_of_scale_has_its_figures_from_one_load(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    made = server.Point(30, 60.0, 59.0, 0.1, 0.4, 0.6, 5.0, 20.0, 3.0, 0.98, 0.02, 0.0, 1.5, 300.0)

    class Fake:
        def __enter__(self) -> Fake:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def point(self, load: object) -> server.Point:
            loads.append(load)
            return made

    monkeypatch.setattr(server, "running", lambda bundle, settings: Fake())
    settings = {"scheme": "agilenn", "dataset": "digits", "devices": 30, "seconds": 1.0}
    found = SERVE.function(settings, Context())
    assert (loads[0].devices, loads[0].rate_per_s, loads[0].seconds) == (30, 60.0, 1.0)
    assert (found.figures["p99_ms"], found.figures["busy"]) == (20.0, 0.02)
    assert found.sources["p99_ms"] == "measured_host"
    assert "answered" not in found.sources, "shares are counted"
    assert SERVE.alone
    assert SERVE.canonical(settings) == SERVE.canonical({**settings, "per_device_per_s": 2.0})
