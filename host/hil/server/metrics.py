"""A service's books in Prometheus' words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hil.errors import ServerError
from hil.server.answer import Status
from hil.server.stats import Histogram, SessionStats

if TYPE_CHECKING:
    from hil.server.service import Service


class Books:
    """A prometheus-client collector: it reads the counters when it is asked, and costs nothing before."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Any]:
        """Metric families, as prometheus-client wants them."""
        from prometheus_client.core import GaugeMetricFamily

        service, stats = self._service, self._service.stats
        yield _counter(
            "hil_server_requests",
            "Answers by status.",
            "status",
            {status.name.lower(): stats.answers[status.name] for status in Status},
        )
        yield _counter("hil_server_refused", "Connections without a session.", "reason", dict(stats.refused))
        yield _counter("hil_server_ended", "Sessions that ended.", "reason", dict(stats.ended))
        sizes = {"in": stats.bytes_in, "out": stats.bytes_out}
        yield _counter("hil_server_bytes", "Bytes to and from clients.", "direction", sizes)
        yield _histogram("hil_server_batch_size", "Requests inferred together.", stats.batches)
        yield _histogram("hil_server_inference_seconds", "Of a batch.", stats.inference_s)
        yield _histogram("hil_server_decode_seconds", "Of a payload.", stats.decode_s)
        yield _histogram("hil_server_latency_seconds", "From request to answer.", stats.latency_s)
        gauges = {
            "sessions": ("Sessions that are there.", len(service.sessions)),
            "queue_depth": ("Requests that nobody has begun with.", service.batcher.waiting),
            "draining": ("1 while the server stops.", int(service.draining)),
        }
        for name, (words, value) in gauges.items():
            yield GaugeMetricFamily(f"hil_server_{name}", words, value)
        yield from _sessions([session.stats for session in service.sessions])


def registry(service: Service) -> Any:
    """A registry of the service's and the process's metrics. Raises ServerError without prometheus-client."""
    try:
        from prometheus_client import CollectorRegistry, ProcessCollector
    except ImportError:
        hint = "pip install 'hil[server]'"
        raise ServerError("metrics are written by the package prometheus-client", hint) from None
    made = CollectorRegistry()
    made.register(Books(service))
    ProcessCollector(registry=made)
    return made


def _counter(name: str, words: str, label: str, values: Mapping[str, float]) -> Any:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, words, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _histogram(name: str, words: str, histogram: Histogram) -> Any:
    from prometheus_client.core import HistogramMetricFamily

    total, buckets = 0, []
    for bound, count in zip([*histogram.bounds, float("inf")], list(histogram.counts), strict=True):
        total += count
        buckets.append(("+Inf" if bound == float("inf") else str(bound), total))
    family = HistogramMetricFamily(name, words)
    family.add_metric([], buckets, histogram.sum)
    return family


def _sessions(all_stats: list[SessionStats]) -> Iterator[Any]:
    """Of the sessions that are there, by device: as many labels as connections are allowed, at most."""
    from prometheus_client.core import GaugeMetricFamily

    requests = GaugeMetricFamily("hil_server_session_requests", "Of a device's sessions.", labels=["device"])
    answers = GaugeMetricFamily(
        "hil_server_session_answers", "Of a device's sessions.", labels=["device", "status"]
    )
    seconds = GaugeMetricFamily(
        "hil_server_session_latency_seconds", "The longest of a device's sessions.", labels=["device"]
    )
    devices: dict[str, list[SessionStats]] = {}
    for stats in all_stats:
        devices.setdefault(stats.device, []).append(stats)
    for device, own in devices.items():
        requests.add_metric([device], sum(stats.requests for stats in own))
        seconds.add_metric([device], max(stats.latency_max_s for stats in own))
        for status in Status:
            if count := sum(stats.answers[status.name] for stats in own):
                answers.add_metric([device, status.name.lower()], count)
    yield from (requests, answers, seconds)
