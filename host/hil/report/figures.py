"""Every figure of a summary that can be compared, with its unit and all the sources it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hil.measure.source import Source
from hil.report.fields import inner, items, number

Summary = Mapping[str, Any]


class Unit(StrEnum):
    """How a figure is written."""

    FLAG = "flag"
    SHARE = "share"
    MS = "ms"
    CYCLES = "cycles"
    MJ = "mJ"
    BYTES = "B"
    COUNT = "count"


@dataclass(frozen=True)
class Figure:
    """One number of a run. `value` is None where it was neither measured nor modelled."""

    key: str
    """Its place in the summary, dotted; thresholds name it so."""
    group: str
    label: str
    unit: Unit
    value: float | None
    sources: tuple[str, ...] = ()
    """Everything the value rests on; empty for what is counted or read from the ELF."""

    @property
    def wall_clock(self) -> bool:
        """It contains time of the host's own clock, which no two runs share."""
        return Source.MEASURED_HOST in self.sources


GROUPS: Final = ("accuracy", "latency", "cycles", "energy", "memory", "payload", "link", "speed")
LAYERS: Final = "cycles.per_layer"

_ACCURACY: Final = {
    "accuracy": "accuracy",
    "float_accuracy": "accuracy, float model",
    "host_agreement": "equal to host reference",
}
_PARTS: Final = ("local", "link", "remote", "fuse")
_MEMORY: Final = {
    "flash_bytes": "flash",
    "ram_static_bytes": "ram, static",
    "arena_bytes": "ram, arena",
    "stack_peak_bytes": "stack, peak",
}
_LINK: Final = {
    "wire_retransmissions": "wire repeats per sample",
    "radio_retransmissions": "radio repeats per sample",
    "fallbacks": "fallbacks",
    "failed": "failed samples",
}


def figures(summary: Summary) -> dict[str, Figure]:
    """By key, in the order they are shown. A figure the summary lacks has the value None."""
    found = [
        *_accuracy(summary),
        *_latency(summary),
        *_cycles(summary),
        *_energy(summary),
        *_memory(summary),
        *_payload(summary),
        *_link(summary),
        *_speed(summary),
    ]
    return {figure.key: figure for figure in found}


def known_keys() -> tuple[str, ...]:
    """The keys of every summary; those of the layers begin with `LAYERS`."""
    return (*figures({}), LAYERS)


def issues(summary: Summary) -> list[Summary]:
    """What the run has to say about itself."""
    return items(summary.get("issues"))


def _distinct(sources: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(source) for source in sources if source))


def _basis(summary: Summary, *places: str) -> tuple[str, ...]:
    """The sources of these parts of the latency."""
    sources = inner(inner(summary, "latency_ms"), "sources")
    return _distinct(sources.get(place) for place in places)


def _accuracy(summary: Summary) -> list[Figure]:
    valid = float(sound(summary)) if summary else None
    return [
        Figure("valid", "accuracy", "valid run", Unit.FLAG, valid),
        *(
            Figure(key, "accuracy", label, Unit.SHARE, number(summary.get(key)))
            for key, label in _ACCURACY.items()
        ),
    ]


def sound(summary: Summary) -> bool:
    """Valid, or invalid for no other reason than that the run ended early."""
    from hil.session.verdict import INVALIDATING

    codes = {str(issue.get("code")) for issue in issues(summary)}
    if summary.get("partial"):
        return not codes & (INVALIDATING - {"partial"})
    return summary.get("valid") is True


def _latency(summary: Summary) -> list[Figure]:
    """The total holds the server's time, so it rests on that clock too."""
    part, whole = inner(summary, "latency_ms"), _basis(summary, "total", "link", "remote")
    totals = [
        Figure(f"latency_ms.{name}", "latency", f"latency, {name}", Unit.MS, number(part.get(name)), whole)
        for name in ("mean", "p50", "p95", "p99")
    ]
    parts = [
        Figure(
            f"latency_ms.{name}",
            "latency",
            f"  {name}",
            Unit.MS,
            number(part.get(name)),
            _basis(summary, name),
        )
        for name in _PARTS
    ]
    return [*totals, *parts]


def _cycles(summary: Summary) -> list[Figure]:
    """The device's total counts its wait for the reply; the layers do not."""
    part = inner(summary, "cycles")
    own = _distinct([part.get("source")])
    total = Figure(
        "cycles.device_total",
        "cycles",
        "device, wait included",
        Unit.CYCLES,
        number(part.get("device_total")),
        _distinct([*own, *_basis(summary, "link", "remote")]),
    )
    found: dict[str, Figure] = {}
    for layer in items(part.get("per_layer")):
        name = str(layer.get("name"))
        key = f"{LAYERS}.{name}"
        while key in found:
            key += "'"
        cycles = number(layer.get("cycles"))
        found[key] = Figure(key, "cycles", f"  {name}", Unit.CYCLES, cycles, own)
    return [total, *found.values()]


def _energy(summary: Summary) -> list[Figure]:
    """Modelled energy is current times time, so it rests on the time's source as well."""
    part = inner(summary, "energy_mj")
    own = part.get("source")
    times = {
        "mean": ("local", "link", "remote", "fuse"),
        "cpu": ("local", "fuse"),
        "radio": ("local", "link", "remote", "fuse"),
        "idle": ("link", "remote"),
        "peripherals": ("local", "link", "remote", "fuse"),
    }
    return [
        Figure(
            f"energy_mj.{name}",
            "energy",
            "energy, mean" if name == "mean" else f"  {name}",
            Unit.MJ,
            number(part.get(name)),
            _distinct([own, *_basis(summary, *places)]) if own else (),
        )
        for name, places in times.items()
    ]


def _memory(summary: Summary) -> list[Figure]:
    part = inner(summary, "memory")
    return [
        Figure(f"memory.{key}", "memory", label, Unit.BYTES, number(part.get(key)))
        for key, label in _MEMORY.items()
    ]


def _payload(summary: Summary) -> list[Figure]:
    part = inner(summary, "payload_bytes")
    return [
        Figure(f"payload_bytes.{name}", "payload", f"payload, {name}", Unit.BYTES, number(part.get(name)))
        for name in ("mean", "p95", "raw")
    ]


def _link(summary: Summary) -> list[Figure]:
    """Counts, for each sample: runs of different lengths can be compared."""
    samples = number(summary.get("samples"))
    counts = {**summary, "failed": inner(summary, "outcomes").get("failed")}
    found = []
    for key, label in _LINK.items():
        count = number(counts.get(key))
        each = count / samples if samples and count is not None else None
        unit = Unit.COUNT if key.endswith("retransmissions") else Unit.SHARE
        found.append(Figure(key, "link", label, unit, each))
    return found


def _speed(summary: Summary) -> list[Figure]:
    per_s = number(inner(summary, "throughput").get("host_per_s"))
    source = (str(Source.MEASURED_HOST),)
    return [Figure("throughput.host_per_s", "speed", "samples per second", Unit.COUNT, per_s, source)]
