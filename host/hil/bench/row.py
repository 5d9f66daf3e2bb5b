"""What `hil bench accuracy` finds out about one bundle, and how it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class OnTwin:
    """The same bundle as firmware, run on the twin."""

    samples: int
    accuracy: float
    agreement: float
    """Share of samples where device and host reference agree bit for bit."""
    latency_ms: float
    """Mean, radio included."""
    radio: str


@dataclass(frozen=True)
class AccuracyRow:
    """Shares lie in [0, 1]. None where the scheme has no such thing, or nobody measured it."""

    scheme: str
    dataset: str
    seed: int
    digest: str
    """SHA-256 of the bundle, in hexadecimal."""
    samples: int
    """Of the test split, from its first, in float and in int8."""
    float_accuracy: float
    int8_accuracy: float
    """Of the answer: the device half in int8, both halves' logits fused in integers."""
    local_accuracy: float | None
    """Of the device alone, in int8."""
    exit_share: float | None
    """Of samples that the device answers without asking; None where nothing is ever sent."""
    payload_bytes_mean: float | None
    """Over the samples that are sent."""
    payload_bytes_p95: float | None
    skewness: float | None
    """Of the float model, as its training measured it."""
    device_macs: int
    device_parameters: int
    server_parameters: int
    twin: OnTwin | None = None

    @property
    def int8_drop(self) -> float:
        """What int8 costs, as a share; negative where it gains."""
        return self.float_accuracy - self.int8_accuracy


def as_values(row: AccuracyRow) -> dict[str, Any]:
    """For JSON."""
    return asdict(row) | {"int8_drop": row.int8_drop}


def from_values(values: Mapping[str, Any]) -> AccuracyRow:
    """What `as_values` gave. Raises KeyError or TypeError when it is something else."""
    if not isinstance(values, Mapping):
        raise TypeError("a row is a mapping")
    fields = {name: value for name, value in values.items() if name != "int8_drop"}
    twin = fields.pop("twin")
    return AccuracyRow(**fields, twin=None if twin is None else OnTwin(**twin))
