"""What a service and each of its sessions have done so far: plain counters, read by whoever shows them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hil.server.answer import Answer, Status

BATCH_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SECONDS_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Histogram:
    """Counts of values by upper bounds; the last bucket has none."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        return sum(self.counts)


@dataclass
class SessionStats:
    """Of one session."""

    device: str = ""
    peer: str = ""
    requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    """By status."""
    bytes_in: int = 0
    bytes_out: int = 0
    latency_sum_s: float = 0.0
    """From a request's last byte to its answer, of those that were inferred."""
    latency_max_s: float = 0.0

    def answered(self, answer: Answer) -> None:
        """Counts an answer."""
        self.answers[answer.status.name] += 1
        if answer.status in (Status.OK, Status.EMPTY):
            seconds = (answer.server_us + answer.queue_us) / 1e6
            self.latency_sum_s += seconds
            self.latency_max_s = max(self.latency_max_s, seconds)

    @property
    def latency_mean_s(self) -> float:
        count = self.answers["OK"] + self.answers["EMPTY"]
        return self.latency_sum_s / count if count else 0.0

    def line(self) -> str:
        """For the log."""
        others = "".join(
            f", {count} {name.lower()}" for name, count in sorted(self.answers.items()) if name != "OK"
        )
        return (
            f"{self.requests} requests, {self.answers['OK']} ok{others}, "
            f"{self.bytes_in} bytes in, {self.bytes_out} out, "
            f"latency {1000 * self.latency_mean_s:.1f} ms mean, {1000 * self.latency_max_s:.1f} max"
        )


@dataclass
class ServerStats:
    """Of the whole service."""

    answers: Counter[str] = field(default_factory=Counter)
    """By status."""
    connections: int = 0
    """Accepted so far."""
    refused: Counter[str] = field(default_factory=Counter)
    """Connections that became no session, by reason."""
    ended: Counter[str] = field(default_factory=Counter)
    """Sessions that ended, by reason."""
    bytes_in: int = 0
    bytes_out: int = 0
    batches: Histogram = field(default_factory=lambda: Histogram(BATCH_BOUNDS))
    decode_s: Histogram = field(default_factory=lambda: Histogram(SECONDS_BOUNDS))
    """A payload's."""
    inference_s: Histogram = field(default_factory=lambda: Histogram(SECONDS_BOUNDS))
    """A batch's."""
    latency_s: Histogram = field(default_factory=lambda: Histogram(SECONDS_BOUNDS))
    """From a request's last byte to its answer."""
