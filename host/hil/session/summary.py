"""`summary.json`: the schema of docs/summary.md, from records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hil.boards.protocol import BoardInfo
from hil.deploy.deployment import Deployment
from hil.errors import FirmwareDamagedError
from hil.link.radio import Radio
from hil.measure.latency import percentiles
from hil.measure.memory import stack_peak
from hil.measure.modelled import modelled_latency
from hil.measure.source import Source
from hil.session.bus import Issue
from hil.session.events import SampleRecord
from hil.session.options import RunOptions
from hil.session.verdict import is_valid, verdict
from hil.wire.protocol import NonceSource
from hil.wire.to_host import Checked

SCHEMA = 1
OUTCOMES = ("answered", "fallback", "local", "failed")
_PLACES = ("local", "link", "remote", "fuse")


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run before its first sample."""

    deployment: Deployment
    board: BoardInfo
    radio: Radio
    options: RunOptions
    remote_source: Source
    energy_modelled: bool
    provenance: dict[str, Any]
    authenticated: bool = False
    """The device takes authentic replies only."""

    @property
    def sources(self) -> dict[str, str]:
        """Origin of every figure, by its place in the summary."""
        link = self.board.time_source if self.radio.instant else Source.MODELLED
        # With nothing to send it is the device that says the server took no time.
        sends = self.deployment.manifest.payload is not None
        remote = self.remote_source if sends else self.board.time_source
        device = str(self.board.time_source)
        sources = {
            "latency.local": device,
            "latency.link": str(link),
            "latency.remote": str(remote),
            "latency.fuse": device,
            "latency.total": device,
            "latency.overlap": device,
            "cycles": device,
        }
        return sources | ({"energy": str(Source.MODELLED)} if self.energy_modelled else {})


@dataclass(frozen=True)
class RunData:
    """What the samples brought."""

    records: Sequence[SampleRecord] = ()
    layer_cycles: Sequence[tuple[int, ...]] = ()
    """One tuple for every sample that reported its layers."""
    issues: Sequence[Issue] = ()
    wall_s: float = 0.0
    """Host time spent on the samples."""
    interruption: str | None = None
    """Why the run ended early; None when it did not."""
    faults: dict[str, Any] | None = None
    """What was injected and what came of it; None where nothing was ordered."""
    checks: Sequence[Checked] = ()
    """Of the firmware in mid-run and at the end, that found it sound."""
    nonce_source: NonceSource = NonceSource.NONE
    board_s: float | None = None
    """How long boards ran, each by its own clock."""


def build_summary(facts: RunFacts, data: RunData) -> dict[str, Any]:
    """The summary, JSON-ready, with every key present; what is not known is null."""
    return fill(blank(facts), data)


def blank(facts: RunFacts) -> dict[str, Any]:
    """The summary before the first sample: names, limits, origins, and null for what samples tell."""
    deployment, options, sources = facts.deployment, facts.options, facts.sources
    return {
        "schema": SCHEMA,
        "scheme": deployment.manifest.scheme,
        "dataset": deployment.manifest.dataset,
        "board": facts.board.name,
        "radio": facts.radio.name,
        "samples": 0,
        "samples_asked": options.n,
        **dict.fromkeys(("outcomes", "accuracy", "float_accuracy", "host_agreement")),
        "latency_ms": {
            "source": sources["latency.total"],
            "sources": {place: sources[f"latency.{place}"] for place in (*_PLACES, "total", "overlap")},
        },
        "cycles": {
            "per_layer": [
                {"name": layer.name, "kernel": layer.kernel, "cycles": None, "macs": layer.macs}
                for layer in deployment.layers
            ],
            "source": sources["cycles"],
        },
        "energy_mj": None,
        "memory": _memory(facts),
        "integrity": {"source": str(facts.board.time_source)},
        "authentication": {"replies": facts.authenticated, "source": str(facts.board.time_source)},
        "payload_bytes": {"raw": deployment.manifest.payload.raw_bytes if deployment.manifest.payload else 0},
        **dict.fromkeys(("prefixes", "retransmissions", "wire_retransmissions", "radio_retransmissions")),
        **dict.fromkeys(("fallbacks", "exits", "faults", "throughput")),
        "board_s": None,
        "deadline_ms": options.deadline_ms,
        "clock_hz": deployment.clock_hz,
        "seed": options.seed,
        "partial": True,
        "valid": False,
        "issues": [],
        "provenance": facts.provenance,
    }


def fill(form: Mapping[str, Any], data: RunData) -> dict[str, Any]:
    """`form`, which is `blank` or a run's first summary, with what the samples of `data` tell.

    A run that was killed has no other: its summary is put together from its events with this.
    """
    records = data.records
    issues = [*data.issues, *verdict(records, data.interruption)]
    wire = sum(record.wire_retransmissions for record in records)
    radio = sum(record.radio_retransmissions for record in records)
    outcomes = Counter(record.outcome for record in records)
    floats = [record for record in records if record.float_prediction is not None]
    return {
        **form,
        "samples": len(records),
        "outcomes": {outcome: outcomes[outcome] for outcome in OUTCOMES},
        "accuracy": _share([record.correct for record in records]),
        "float_accuracy": _share([record.float_prediction == record.label for record in floats]),
        "host_agreement": _share([record.agrees for record in records if record.agrees is not None]),
        "latency_ms": _latency(form, records),
        "cycles": _cycles(form["cycles"], data),
        "energy_mj": _energy(records),
        "memory": form["memory"]
        | {"stack_peak_bytes": stack_peak(record.stack_peak_bytes for record in records)},
        "integrity": _integrity(form["integrity"], data, issues),
        "authentication": _authentication(form["authentication"], data),
        "payload_bytes": _payload(form["payload_bytes"]["raw"], records),
        "prefixes": _prefixes(records),
        "retransmissions": wire + radio,
        "wire_retransmissions": wire,
        "radio_retransmissions": radio,
        "fallbacks": outcomes["fallback"],
        # Who has a payload answers alone by an exit's choice only.
        "exits": outcomes["local"] if form["payload_bytes"]["raw"] else 0,
        "faults": data.faults,
        "throughput": _throughput(records, data.wall_s),
        "board_s": data.board_s,
        "partial": data.interruption is not None,
        "valid": is_valid(issues),
        "issues": [asdict(issue) for issue in issues],
    }


def _share(flags: Sequence[bool | None]) -> float | None:
    return sum(map(bool, flags)) / len(flags) if flags else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _latency(form: Mapping[str, Any], records: Sequence[SampleRecord]) -> dict[str, Any]:
    parts = [record.latency_ms for record in records if record.latency_ms]
    return {
        **asdict(percentiles([part.total for part in parts])),
        **{place: _mean([getattr(part, place) for part in parts]) for place in (*_PLACES, "overlap")},
        "modelled": modelled_latency(parts, str(form["cycles"]["source"])),
        "source": form["latency_ms"]["source"],
        "sources": form["latency_ms"]["sources"],
    }


def _cycles(form: Mapping[str, Any], data: RunData) -> dict[str, Any]:
    layers = form["per_layer"]
    reported = [cycles for cycles in data.layer_cycles if len(cycles) == len(layers)]
    return {
        "device_total": _mean([record.cycles.total for record in data.records if record.cycles]),
        "per_layer": [
            {**layer, "cycles": _mean([cycles[place] for cycles in reported])}
            for place, layer in enumerate(layers)
        ],
        "source": form["source"],
    }


def _energy(records: Sequence[SampleRecord]) -> dict[str, Any]:
    parts = [record.energy_mj for record in records if record.energy_mj]
    details = [record.energy_detail for record in records if record.energy_detail]
    return {
        "mean": _mean([part.total for part in parts]),
        "cpu": _mean([part.cpu for part in parts]),
        "radio": _mean([part.radio for part in parts]),
        "idle": _mean([part.idle for part in parts]),
        "peripherals": _mean([part.peripherals for part in parts]),
        "by_state": _means([detail.by_state for detail in details]),
        "by_stage": _means([detail.by_stage for detail in details]),
        "ipc": _mean([detail.ipc for detail in details if detail.ipc is not None]),
        "window_ms": _mean([detail.window_ms for detail in details]),
        "source": str(Source.MODELLED) if parts else None,
    }


def _means(values: Sequence[dict[str, float]]) -> dict[str, float] | None:
    """By key, all of which every sample has; None without samples."""
    return {key: float(np.mean([value[key] for value in values])) for key in values[0]} if values else None


def _memory(facts: RunFacts) -> dict[str, Any]:
    footprint = facts.deployment.footprint
    return {
        "flash_bytes": footprint.flash_bytes,
        "ram_static_bytes": footprint.ram_static_bytes,
        "arena_bytes": footprint.arena_bytes,
        "stack_peak_bytes": None,
        "stack_reserved_bytes": footprint.stack_bytes,
        "flash_limit_bytes": facts.board.flash_bytes,
        "ram_limit_bytes": facts.board.ram_bytes,
    }


def _integrity(form: Mapping[str, Any], data: RunData, issues: Sequence[Issue]) -> dict[str, Any]:
    damaged = any(issue.code == FirmwareDamagedError.code for issue in issues)
    checks = data.checks
    return {
        "sound": False if damaged else True if checks else None,
        "checks": len(checks),
        "covered_bytes": checks[-1].covered_bytes if checks else None,
        "cycles": _mean([check.cycles for check in checks]),
        "source": form["source"] if checks else None,
    }


def _authentication(form: Mapping[str, Any], data: RunData) -> dict[str, Any]:
    known = data.nonce_source is not NonceSource.NONE
    # Where forged replies came as well, the cycles are of all that were looked at.
    verified = [
        record.cycles.verify
        for record in data.records
        if record.cycles and record.cycles.verify and not record.unauthentic_replies
    ]
    return {
        "replies": form["replies"],
        "nonce": data.nonce_source.name.lower() if known else None,
        "unauthentic": sum(record.unauthentic_replies for record in data.records),
        "verify_cycles": _mean(verified),
        "source": form["source"] if verified else None,
    }


def _payload(raw: int, records: Sequence[SampleRecord]) -> dict[str, Any]:
    spread = percentiles([float(record.payload_bytes) for record in records if record.outcome != "failed"])
    return {"mean": spread.mean, "p95": spread.p95, "raw": raw}


def _prefixes(records: Sequence[SampleRecord]) -> dict[str, Any]:
    answered = [record for record in records if record.prefix_channels]
    return {
        "samples": len(answered),
        "channels": _mean([record.prefix_channels for record in answered]),
        "accuracy": _share([record.correct for record in answered]),
    }


def _throughput(records: Sequence[SampleRecord], wall_s: float) -> dict[str, Any]:
    mean_ms = _mean([record.latency_ms.total for record in records if record.latency_ms])
    return {
        "device_per_s": 1000.0 / mean_ms if mean_ms else None,
        "host_per_s": len(records) / wall_s if records and wall_s > 0 else None,
    }
