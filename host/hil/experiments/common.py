"""Names, columns and settings that several experiments share."""

from __future__ import annotations

from typing import Any, Final

from hil.experiments.experiment import Column, Variable

SCHEMES: Final = ("agilenn", "deepcod", "spinn", "edge_only", "mcunet")
OURS: Final = "agilenn"
OFFLOADING: Final = ("deepcod", "spinn", "edge_only")
"""Rivals that send something."""

SCHEME = Variable("scheme", SCHEMES)
SCHEME_COLUMN = Column("scheme", "scheme")
ACCURACY = Column("accuracy", "accuracy", "%", 2)
LATENCY = Column("latency_mean_ms", "latency", "ms", 2)
PARTS = (
    Column("local_ms", "local", "ms", 2),
    Column("link_ms", "link", "ms", 2),
    Column("remote_ms", "remote", "ms", 2),
)
PAYLOAD = Column("payload_bytes", "payload", "B", 0)
ENERGY = Column("energy_mj", "energy", "mJ", 2)

RUN_FIXED: Final[dict[str, Any]] = {
    "board": "twin",
    "radio": "wifi-6m",
    "n": 100,
    "seed": 0,
    "codec": "auto",
    "clock_mhz": 216,
    "server_ms": 1.0,
    "deadline_ms": 1000.0,
}
"""Every scheme packs its payload by the codec that the device and this link together are fastest with."""
