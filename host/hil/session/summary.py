"""`summary.json`: the schema of docs/summary.md, from records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
from hil.wire.messages import Checked
from hil.wire.protocol import NonceSource

SCHEMA = 1
OUTCOMES = ("answered", "fallback", "local", "failed")


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


def build_summary(facts: RunFacts, data: RunData) -> dict[str, Any]:
    """The summary, JSON-ready, with every key present; what is not known is null."""
    records, deployment = data.records, facts.deployment
    issues = [*data.issues, *verdict(records, data.interruption)]
    wire = sum(record.wire_retransmissions for record in records)
    radio = sum(record.radio_retransmissions for record in records)
    outcomes = Counter(record.outcome for record in records)
    return {
        "schema": SCHEMA,
        "scheme": deployment.manifest.scheme,
        "dataset": deployment.manifest.dataset,
        "board": facts.board.name,
        "radio": facts.radio.name,
        "samples": len(records),
        "samples_asked": facts.options.n,
        "outcomes": {outcome: outcomes[outcome] for outcome in OUTCOMES},
        "accuracy": _share([record.correct for record in records]),
        "float_accuracy": _share(
            [
                record.float_prediction == record.label
                for record in records
                if record.float_prediction is not None
            ]
        ),
        "host_agreement": _share([record.agrees for record in records if record.agrees is not None]),
        "latency_ms": _latency(facts, records),
        "cycles": _cycles(facts, data),
        "energy_mj": _energy(records),
        "memory": _memory(facts, records),
        "integrity": _integrity(facts, data, issues),
        "authentication": _authentication(facts, data),
        "payload_bytes": _payload(facts, records),
        "prefixes": _prefixes(records),
        "retransmissions": wire + radio,
        "wire_retransmissions": wire,
        "radio_retransmissions": radio,
        "fallbacks": outcomes["fallback"],
        "exits": outcomes["local"] if deployment.exit is not None else 0,
        "faults": data.faults,
        "throughput": _throughput(records, data.wall_s),
        "deadline_ms": facts.options.deadline_ms,
        "clock_hz": deployment.clock_hz,
        "seed": facts.options.seed,
        "partial": data.interruption is not None,
        "valid": is_valid(issues),
        "issues": [asdict(issue) for issue in issues],
        "provenance": facts.provenance,
    }


def _share(flags: Sequence[bool | None]) -> float | None:
    return sum(map(bool, flags)) / len(flags) if flags else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _latency(facts: RunFacts, records: Sequence[SampleRecord]) -> dict[str, Any]:
    parts = [record.latency_ms for record in records if record.latency_ms]
    places = ("local", "link", "remote", "fuse")
    sources = facts.sources
    return {
        **asdict(percentiles([part.total for part in parts])),
        **{place: _mean([getattr(part, place) for part in parts]) for place in (*places, "overlap")},
        "modelled": modelled_latency(parts, facts.board.time_source),
        "source": sources["latency.total"],
        "sources": {place: sources[f"latency.{place}"] for place in (*places, "total", "overlap")},
    }


def _cycles(facts: RunFacts, data: RunData) -> dict[str, Any]:
    layers = facts.deployment.layers
    reported = [cycles for cycles in data.layer_cycles if len(cycles) == len(layers)]
    return {
        "device_total": _mean([record.cycles.total for record in data.records if record.cycles]),
        "per_layer": [
            {
                "name": layer.name,
                "kernel": layer.kernel,
                "cycles": _mean([cycles[place] for cycles in reported]),
                "macs": layer.macs,
            }
            for place, layer in enumerate(layers)
        ],
        "source": facts.sources["cycles"],
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


def _memory(facts: RunFacts, records: Sequence[SampleRecord]) -> dict[str, Any]:
    footprint = facts.deployment.footprint
    return {
        "flash_bytes": footprint.flash_bytes,
        "ram_static_bytes": footprint.ram_static_bytes,
        "arena_bytes": footprint.arena_bytes,
        "stack_peak_bytes": stack_peak(record.stack_peak_bytes for record in records),
        "stack_reserved_bytes": footprint.stack_bytes,
        "flash_limit_bytes": facts.board.flash_bytes,
        "ram_limit_bytes": facts.board.ram_bytes,
    }


def _integrity(facts: RunFacts, data: RunData, issues: Sequence[Issue]) -> dict[str, Any]:
    damaged = any(issue.code == FirmwareDamagedError.code for issue in issues)
    checks = data.checks
    return {
        "sound": False if damaged else True if checks else None,
        "checks": len(checks),
        "covered_bytes": checks[-1].covered_bytes if checks else None,
        "cycles": _mean([check.cycles for check in checks]),
        "source": str(facts.board.time_source) if checks else None,
    }


def _authentication(facts: RunFacts, data: RunData) -> dict[str, Any]:
    keyed = data.nonce_source is not NonceSource.NONE
    # Of what answers: an exchange in which forged replies came has verified those as well.
    verified = [
        record.cycles.verify
        for record in data.records
        if record.cycles and record.cycles.verify and not record.unauthentic_replies
    ]
    return {
        "replies": keyed,
        "nonce": data.nonce_source.name.lower() if keyed else None,
        "unauthentic": sum(record.unauthentic_replies for record in data.records),
        "verify_cycles": _mean(verified),
        "source": facts.sources["cycles"] if verified else None,
    }


def _payload(facts: RunFacts, records: Sequence[SampleRecord]) -> dict[str, Any]:
    sizes = [float(record.payload_bytes) for record in records if record.outcome != "failed"]
    spread = percentiles(sizes)
    payload = facts.deployment.manifest.payload
    return {"mean": spread.mean, "p95": spread.p95, "raw": payload.raw_bytes if payload else 0}


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
