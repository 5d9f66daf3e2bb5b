"""Rows of `hil bench accuracy` for tests that only show them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hil.bench.row import AccuracyRow, OnTwin

SHARES = st.floats(0, 1)
COUNTS = st.integers(0, 10**9)
ON_TWIN = st.builds(
    OnTwin,
    samples=COUNTS,
    accuracy=SHARES,
    agreement=SHARES,
    latency_ms=st.floats(0, 1e6),
    radio=st.sampled_from(["wifi-6m", "none"]),
)
ROWS = st.builds(
    AccuracyRow,
    scheme=st.sampled_from(["agilenn", "mcunet"]),
    dataset=st.sampled_from(["digits", "cifar10"]),
    seed=st.integers(0, 9),
    digest=st.text("0123456789abcdef", min_size=64, max_size=64),
    samples=COUNTS,
    float_accuracy=SHARES,
    int8_accuracy=SHARES,
    local_accuracy=st.none() | SHARES,
    exit_share=st.none() | SHARES,
    payload_bytes_mean=st.none() | st.floats(0, 1e5),
    payload_bytes_p95=st.none() | st.floats(0, 1e5),
    skewness=st.none() | SHARES,
    device_macs=COUNTS,
    device_parameters=COUNTS,
    server_parameters=COUNTS,
    twin=st.none() | ON_TWIN,
)


def row(**changes: Any) -> AccuracyRow:
    """A whole row with `changes`."""
    values: dict[str, Any] = {
        "scheme": "agilenn",
        "dataset": "cifar10",
        "seed": 0,
        "digest": "ab" * 32,
        "samples": 10_000,
        "float_accuracy": 0.8125,
        "int8_accuracy": 0.8100,
        "local_accuracy": 0.4,
        "exit_share": 0.0,
        "payload_bytes_mean": 512.4,
        "payload_bytes_p95": 600.0,
        "skewness": 0.79,
        "device_macs": 175_104,
        "device_parameters": 376,
        "server_parameters": 51_748,
        "twin": OnTwin(1000, 0.812, 1.0, 9.71, "wifi-6m"),
    }
    return AccuracyRow(**{**values, **changes})
