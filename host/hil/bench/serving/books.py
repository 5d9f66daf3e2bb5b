"""A server process seen from outside: its metrics, and its memory."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass
from pathlib import Path

from hil.errors import ServerError

_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Reading:
    """Counters since the server's start."""

    batches: float
    batched: float
    """Requests in them."""
    inference_s: float
    """Of all batches."""
    cpu_s: float | None
    """Processor time of the process; None where the system does not tell."""


def read(port: int) -> Reading:
    """Raises ServerError when nobody serves metrics there, or prometheus-client is missing."""
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError:
        raise ServerError("metrics are read by prometheus-client", "pip install 'hil[server]'") from None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_TIMEOUT_S) as page:
            text = page.read().decode()
    except OSError as error:
        raise ServerError(f"there are no metrics at port {port}: {error}", "see the server's log") from None
    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.labels
    }
    return Reading(
        values["hil_server_batch_size_count"],
        values["hil_server_batch_size_sum"],
        values["hil_server_inference_seconds_sum"],
        values.get("process_cpu_seconds_total"),
    )


def memory_mb(pid: int) -> float | None:
    """Resident memory of a process in 10^6 bytes; None where the system has no /proc."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return None
