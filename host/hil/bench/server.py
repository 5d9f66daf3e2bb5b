"""`hil serve` under load: a server process and emulated devices, beside the bare forward pass of that run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hil import bundle as bundles
from hil.bench.serving.bare import Bare, BareRate
from hil.bench.serving.books import memory_mb, read
from hil.bench.serving.load import Driven, Load, drive
from hil.bench.serving.payloads import payloads
from hil.server.process import ServerProcess, serve_command

_READY_S = 120.0
_BARE_S = 0.5
"""So long the bare pass is measured before and after each load."""
_SAMPLE_S = 5.0
"""Between two looks at the server's memory in a long run."""
_WARM_UP = Load(devices=8, seconds=1.0)
"""Before anything is measured: every batch size is slow at first."""

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    devices: int = 64
    seconds: float = 5.0
    """Of every load."""
    shares: tuple[float, ...] = (0.25, 0.5, 0.75, 0.9)
    """Offered rates, of the throughput at saturation."""
    rates_per_s: tuple[float, ...] = ()
    """Offered rates instead of `shares`."""
    minutes: float = 0.0
    """Of a long run in which memory is watched; 0 for none."""
    images: int = 256
    """Of the test split, whose payloads are sent."""
    batch_max: int = 32
    delay_ms: float = 2.0
    data_dir: Path | None = None

    def options(self) -> list[str]:
        """Of `hil serve`."""
        return [
            *("--batch-max", str(self.batch_max), "--max-delay-ms", f"{self.delay_ms:g}"),
            *("--connections-max", str(max(2048, self.devices)), "--metrics-port", "0"),
        ]


@dataclass(frozen=True)
class Point:
    """One load and what came of it. Times are `measured_host`."""

    devices: int
    offered_per_s: float | None
    """None: every device asks again as soon as it is answered."""
    throughput_per_s: float
    """OK answers."""
    share_of_bare: float
    """Throughput, of the bare forward pass's, measured right before and after in batches of `batch_max`."""
    cpu_ms: float | None
    """The server's processor time for one request, whatever became of it."""
    cpu_share_of_bare: float | None
    """The bare forward pass's processor time for one sample, of `cpu_ms`."""
    p50_ms: float | None
    """From when a request was due to its answer; None where nothing was answered."""
    p99_ms: float | None
    server_ms: float | None
    """Decoding and inference of the batch; mean."""
    answered: float
    """Share of what was asked."""
    busy: float
    lost: float
    batch_mean: float | None
    memory_mb: float | None
    """Resident memory of the server at its end, in 10^6 bytes."""


@dataclass(frozen=True)
class MemoryRun:
    """A server's resident memory over time."""

    rate_per_s: float
    answered: int
    seconds: tuple[float, ...]
    megabytes: tuple[float, ...]

    @property
    def slope_kb_per_minute(self) -> float | None:
        """By least squares over the second half, when all sizes of batches have been seen; in 10^3 bytes."""
        half = len(self.seconds) // 2
        if len(self.seconds) - half < 3:
            return None
        return 60_000 * float(np.polyfit(self.seconds[half:], self.megabytes[half:], 1)[0])


@dataclass(frozen=True)
class ServerReport:
    """The whole benchmark."""

    scheme: str
    dataset: str
    digest: str
    """SHA-256 of the bundle, in hexadecimal."""
    payload_bytes_mean: float
    settings: Settings
    bare: BareRate
    """Median of all that were measured in this run."""
    saturation: Point
    points: tuple[Point, ...]
    memory: MemoryRun | None = None


def as_values(report: ServerReport) -> dict[str, Any]:
    """For JSON."""
    from dataclasses import asdict

    values = asdict(report)
    values["settings"].pop("data_dir")
    if report.memory is not None:
        values["memory"]["slope_kb_per_minute"] = report.memory.slope_kb_per_minute
    return values


def measure(bundle: Path, settings: Settings, progress: Progress) -> ServerReport:
    """Saturation, then offered loads, then the long run, all of one server. Raises HilError."""
    manifest = bundles.read_manifest(bundle)
    sent = payloads(bundle, settings.images, settings.data_dir)
    total = 1 + len(settings.rates_per_s or settings.shares) + (settings.minutes > 0)
    with running(bundle, settings) as bench:
        progress("saturation", 0, total)
        full = bench.point(Load(settings.devices, settings.seconds))
        rates = settings.rates_per_s or [share * full.throughput_per_s for share in settings.shares]
        points = []
        for done, rate in enumerate(rates, start=1):
            progress(f"{rate:.0f} requests/s", done, total)
            points.append(bench.point(Load(settings.devices, settings.seconds, rate)))
        memory = None
        if settings.minutes:
            rate = settings.rates_per_s[0] if settings.rates_per_s else 0.5 * full.throughput_per_s
            progress(f"memory for {settings.minutes:g} minutes", total - 1, total)
            memory = bench.watch(Load(settings.devices, 60 * settings.minutes, rate))
        return ServerReport(
            manifest.scheme,
            manifest.dataset,
            bundles.digest(bundle).hex(),
            float(np.mean([len(payload) for payload in sent])),
            settings,
            bench.median(),
            full,
            tuple(points),
            memory,
        )


@contextmanager
def running(bundle: Path, settings: Settings) -> Iterator[Bench]:
    """A server process that has warmed up. Raises HilError."""
    sent = payloads(bundle, settings.images, settings.data_dir)
    with ServerProcess(serve_command(bundle, *settings.options())) as server:
        bare = Bare(bundle, sent, settings.batch_max)
        bound = server.wait(_READY_S)
        assert bound.metrics_port is not None
        bench = Bench(server.pid, bound.port, bound.metrics_port, bundles.digest(bundle), sent, bare)
        asyncio.run(bench.drive(_WARM_UP))
        yield bench


@dataclass(frozen=True)
class Bench:
    """A server under test and the bare pass beside it."""

    pid: int
    port: int
    metrics_port: int
    bundle_hash: bytes
    payloads: Sequence[bytes]
    bare: Bare
    rates: list[BareRate] = field(default_factory=list)

    async def drive(self, load: Load) -> Driven:
        return await drive("127.0.0.1", self.port, self.bundle_hash, self.payloads, load)

    def point(self, load: Load) -> Point:
        """Measures `load`, and the bare pass on both sides of it. Raises ServerError."""
        self.rates.append(self.bare.measure(_BARE_S))
        before = read(self.metrics_port)
        driven = asyncio.run(self.drive(load))
        after = read(self.metrics_port)
        self.rates.append(self.bare.measure(_BARE_S))
        forward_per_s = sum(rate.forward_per_s for rate in self.rates[-2:]) / 2
        forward_cpu_ms = sum(rate.forward_cpu_ms for rate in self.rates[-2:]) / 2
        batches = after.batches - before.batches
        cpu_ms = None
        if before.cpu_s is not None and after.cpu_s is not None and driven.handled:
            cpu_ms = 1000 * (after.cpu_s - before.cpu_s) / driven.handled
        return Point(
            devices=load.devices,
            offered_per_s=load.rate_per_s,
            throughput_per_s=driven.throughput_per_s,
            share_of_bare=driven.throughput_per_s / forward_per_s,
            cpu_ms=cpu_ms,
            cpu_share_of_bare=forward_cpu_ms / cpu_ms if cpu_ms else None,
            p50_ms=driven.latency(50),
            p99_ms=driven.latency(99),
            server_ms=float(driven.server_ms.mean()) if driven.server_ms.size else None,
            answered=driven.share("OK"),
            busy=driven.share("BUSY"),
            lost=driven.share("LOST"),
            batch_mean=(after.batched - before.batched) / batches if batches else None,
            memory_mb=memory_mb(self.pid),
        )

    def watch(self, load: Load) -> MemoryRun:
        """The server's memory while `load` goes on. Raises ServerError."""
        return asyncio.run(self._watch(load))

    def median(self) -> BareRate:
        """Of what the bare pass has shown so far."""
        return BareRate(
            float(np.median([rate.forward_per_s for rate in self.rates])),
            float(np.median([rate.decoded_per_s for rate in self.rates])),
            float(np.median([rate.forward_cpu_ms for rate in self.rates])),
        )

    async def _watch(self, load: Load) -> MemoryRun:
        began_s = time.monotonic()
        task = asyncio.create_task(self.drive(load))
        seen: list[tuple[float, float]] = []
        while not task.done():
            if (megabytes := memory_mb(self.pid)) is not None:
                seen.append((time.monotonic() - began_s, megabytes))
            await asyncio.wait([task], timeout=_SAMPLE_S)
        driven = await task
        seconds, sizes = zip(*seen, strict=True) if seen else ((), ())
        return MemoryRun(load.rate_per_s or 0.0, driven.statuses.get("OK", 0), seconds, sizes)
