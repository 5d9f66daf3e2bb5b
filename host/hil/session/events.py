"""What a session tells its reporters: one stream of frozen events, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hil.session.timeline import Timeline
from hil.wire.to_host import StageCycles


@dataclass(frozen=True)
class MemoryUse:
    """Bytes on the device: from the ELF, its map and the painted stack. Limits are the board's."""

    flash_bytes: int
    ram_static_bytes: int
    arena_bytes: int
    stack_bytes: int
    """Reserved by the link script."""
    flash_limit: int
    ram_limit: int


@dataclass(frozen=True)
class LatencyParts:
    """Milliseconds of one inference. `total` is measured on its own, not summed."""

    local: float
    link: float
    remote: float
    fuse: float
    total: float
    overlap: float = 0.0
    """How long the exchange ran beside `local`: so much of the link is hidden, and not in `link`."""


@dataclass(frozen=True)
class EnergyParts:
    """Millijoules of one inference on the device."""

    cpu: float
    """The core awake."""
    radio: float
    idle: float
    """The core asleep."""
    peripherals: float = 0.0
    """The microcontroller's peripherals, whatever the core did."""

    @property
    def total(self) -> float:
        return self.cpu + self.radio + self.idle + self.peripherals


@dataclass(frozen=True)
class EnergyDetail:
    """The same millijoules cut in other ways."""

    by_state: dict[str, float]
    """All of them: run, sleep, stop (with their peripherals); radio_tx, radio_rx, radio_idle, radio_sleep."""
    by_stage: dict[str, float]
    """`EnergyParts.cpu` alone."""
    ipc: float | None
    """Instructions per awake cycle."""
    window_ms: float
    """What the figures are of: from the start of the run to its result."""


@dataclass(frozen=True)
class SampleRecord:
    """One sample's fate. A failed one has no times, and an energy only if it waited in vain."""

    index: int
    """Position in the run."""
    sample: int
    """Position in the test split."""
    label: int
    outcome: str
    """answered, fallback, local or failed."""
    reason: str
    prediction: int | None = None
    float_prediction: int | None = None
    latency_ms: LatencyParts | None = None
    energy_mj: EnergyParts | None = None
    energy_detail: EnergyDetail | None = None
    cycles: StageCycles | None = None
    payload_bytes: int = 0
    """Of the whole payload, whatever of it was in time."""
    prefix_channels: int = 0
    """Channels that the answer rests on when the rest of the payload was not in time; 0: on all."""
    unauthentic_replies: int = 0
    """That the device ignored."""
    agrees: bool | None = None
    """Device equals the bit-exact host reference in logits, payload and fusion."""
    wire_retransmissions: int = 0
    radio_retransmissions: int = 0
    stack_peak_bytes: int = 0
    timeline: Timeline | None = None
    """None where no payload left the device."""
    attempts: int = 1
    """2 where the first one lost the device, which was brought back."""

    @property
    def correct(self) -> bool:
        return self.prediction == self.label


@dataclass(frozen=True)
class StageStarted:
    """A stage before the samples: train, capture, build, boot, serve."""

    stage: str
    detail: str = ""


@dataclass(frozen=True)
class StageProgress:
    """How far a stage is; `total` 0 when unknown."""

    stage: str
    done: int
    total: int
    detail: str = ""


@dataclass(frozen=True)
class StageFinished:
    stage: str
    seconds: float
    cached: bool = False
    detail: str = ""


@dataclass(frozen=True)
class RunStarted:
    name: str
    folder: Path
    scheme: str
    dataset: str
    board: str
    radio: str
    samples: int
    classes: int
    payload_raw_bytes: int
    memory: MemoryUse
    sources: dict[str, str]
    """Origin of every figure: `latency.local`, `energy`, …"""


@dataclass(frozen=True)
class SampleFinished:
    record: SampleRecord


@dataclass(frozen=True)
class ServerLost:
    """The server half is gone; the run goes on without it."""

    reason: str


@dataclass(frozen=True)
class FaultInjected:
    """A fault that the run ordered took place: `hil.faults`."""

    kind: str
    sample: int
    """Its position in the run."""
    detail: str


@dataclass(frozen=True)
class Warned:
    """Something the user should know; becomes an entry of `issues`."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class RunFinished:
    """`summary` follows the schema in docs/summary.md."""

    summary: dict[str, Any] = field(default_factory=dict)
    partial: bool = False


Event = (
    StageStarted
    | StageProgress
    | StageFinished
    | RunStarted
    | SampleFinished
    | ServerLost
    | FaultInjected
    | Warned
    | RunFinished
)


class Reporter(Protocol):
    """Takes the events of a run, in order. The session survives a reporter that raises."""

    def handle(self, event: Event) -> None: ...

    def close(self) -> None:
        """Called once, after the last event or an interrupt."""
        ...
