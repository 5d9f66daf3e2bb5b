"""The sections of a run's page as plain values for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.confusion import Confusion, confusion
from hil.report.fields import inner, items, number, numbers
from hil.report.figures import figures
from hil.report.run_data import RunData
from hil.report.run_plots import PARTS

TABLE_MAX: Final = 20
"""Classes up to which the confusion matrix is a table that can be read."""
PAIRS: Final = 8
LONG: Final = 3
"""Letters of a class's name from which it is written upwards."""

_COLOURS: Final = (g.GREEN, g.ORANGE, g.SKY, g.PURPLE, g.BLUE, g.VERMILLION, g.SILVER, g.YELLOW)
_HATCH: Final = ("", "h1", "h2", "h3")


@dataclass(frozen=True)
class Segment:
    """A part of a whole."""

    name: str
    text: str
    share: float
    colour: str
    hatch: str = ""
    origins: tuple[str, ...] = ()
    named: bool = True


@dataclass(frozen=True)
class Cut:
    """A whole and its parts."""

    title: str
    segments: tuple[Segment, ...]
    total: str
    origins: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """How full a memory is."""

    name: str
    text: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class LayerRow:
    number: int
    name: str
    kernel: str
    macs: float | None
    cycles: float | None
    rate: float | None
    share: float | None


@dataclass(frozen=True)
class Cell:
    count: int
    share: float
    kind: str


@dataclass(frozen=True)
class MatrixRow:
    name: str
    cells: tuple[Cell, ...]


def latency_segments(summary: Mapping[str, Any]) -> tuple[Segment, ...]:
    """Local, link, remote, fuse; none where a run has no latency."""
    found = figures(summary)
    parts = {name: found[f"latency_ms.{name}"] for name in PARTS}
    known = {name: figure.value for name, figure in parts.items() if figure.value is not None}
    whole = sum(known.values())
    if len(known) < len(parts) or whole <= 0:
        return ()
    return tuple(
        Segment(
            name,
            fmt.figure(known[name]),
            known[name] / whole,
            g.PART_COLOURS[name],
            _HATCH[at],
            figure.sources,
        )
        for at, (name, figure) in enumerate(parts.items())
    )


def energy_cuts(summary: Mapping[str, Any]) -> list[Cut]:
    """The energy by part, by state and by stage, as far as the summary has them."""
    part = inner(summary, "energy_mj")
    origins = figures(summary)["energy_mj.mean"].sources
    names = {"cpu": "core awake", "radio": "radio", "idle": "core asleep", "peripherals": "peripherals"}
    parts = {label: value for key, label in names.items() if (value := number(part.get(key))) is not None}
    cuts = [("By part", parts), ("By state", numbers(inner(part, "by_state")))]
    cuts.append(("Core awake, by stage", numbers(inner(part, "by_stage"))))
    return [_cut(title, values, origins) for title, values in cuts if sum(values.values()) > 0]


def _cut(title: str, values: Mapping[str, float], origins: tuple[str, ...]) -> Cut:
    whole = sum(values.values())
    segments = tuple(
        Segment(
            name.replace("_", " "), fmt.figure(value), max(0.0, value) / whole, _COLOURS[at % len(_COLOURS)],
            _HATCH[at // 2 % len(_HATCH)] if at >= 4 else "",
        )
        for at, (name, value) in enumerate(values.items())
    )  # fmt: skip
    return Cut(title, segments, fmt.figure(whole), origins)


def memory_bars(summary: Mapping[str, Any]) -> list[Bar]:
    """Flash and RAM against what the board has; none where the board's are not known."""
    memory = numbers(inner(summary, "memory"))
    ram = {
        "arenas": memory.get("arena_bytes"),
        "stack, reserved": memory.get("stack_reserved_bytes"),
        "other static": memory.get("ram_static_bytes"),
    }
    wanted = (
        ("Flash", {"firmware": memory.get("flash_bytes")}, memory.get("flash_limit_bytes")),
        ("RAM", ram, memory.get("ram_limit_bytes")),
    )
    bars = []
    for name, parts, limit in wanted:
        known = {label: value for label, value in parts.items() if value is not None}
        if not known or len(known) < len(parts) or not limit:
            continue
        taken = sum(known.values())
        segments = [
            Segment(label, fmt.size(value), value / limit, colour, hatch)
            for (label, value), colour, hatch in zip(
                known.items(), (g.SKY, g.ORANGE, g.PURPLE), _HATCH, strict=False
            )
        ]
        free = max(0.0, limit - taken)
        segments.append(Segment("free", fmt.size(free), free / limit, "transparent", named=False))
        text = f"{fmt.size(taken)} of {fmt.size(limit)}, {fmt.percent(taken / limit)}"
        bars.append(Bar(name, text, tuple(segments)))
    return bars


def layer_rows(summary: Mapping[str, Any]) -> list[LayerRow]:
    """In the order they run."""
    layers = items(inner(summary, "cycles").get("per_layer"))
    cycles = [number(layer.get("cycles")) for layer in layers]
    whole = sum(count for count in cycles if count)
    rows = []
    for at, (layer, count) in enumerate(zip(layers, cycles, strict=True), 1):
        macs = number(layer.get("macs"))
        rate = macs / count if macs and count else None
        share = count / whole if count is not None and whole else None
        rows.append(LayerRow(at, str(layer.get("name")), str(layer.get("kernel")), macs, count, rate, share))
    return rows


def layers_section(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The table of layers with its sums."""
    rows = layer_rows(summary)
    macs = sum(row.macs or 0 for row in rows)
    cycles = sum(row.cycles or 0 for row in rows)
    source = inner(summary, "cycles").get("source")
    return {
        "rows": rows,
        "macs": macs,
        "cycles": cycles or None,
        "rate": macs / cycles if cycles else None,
        "greatest": max((row.share or 0 for row in rows), default=1) or 1,
        "origins": (str(source),) if source else (),
    }


def accuracy_section(data: RunData, names: Sequence[str]) -> dict[str, Any]:
    """The confusion matrix, or only its most frequent confusions where there are many classes."""
    missing = [f"No confusion matrix: {data.missing['samples']}."] if not data.records else []
    seen = [record.label for record in data.records] + [record.prediction or 0 for record in data.records]
    classes = len(names) or min(max(seen, default=-1) + 1, 1000)
    found = confusion(data.records, classes)

    def name(at: int) -> str:
        return names[at] if at < len(names) else str(at)

    written = [name(at) for at in range(classes)]
    shown = bool(data.records) and classes <= TABLE_MAX
    return {
        "missing": missing,
        "matrix": _matrix(found, written) if shown else [],
        "names": written,
        "long": max(map(len, written), default=0) > LONG,
        "failed": bool(found.unanswered.any()),
        "pairs": [(name(a), name(b), count) for a, b, count in found.pairs()[:PAIRS]],
    }


def _matrix(found: Confusion, names: Sequence[str]) -> list[MatrixRow]:
    rows = []
    for true in range(found.classes):
        whole = max(1, int(found.counts[true].sum() + found.unanswered[true]))
        cells = [
            Cell(int(count), float(count) / whole, _kind(true == said, int(count)))
            for said, count in enumerate(found.counts[true])
        ]
        if found.unanswered.any():
            failed = int(found.unanswered[true])
            cells.append(Cell(failed, failed / whole, _kind(False, failed)))
        rows.append(MatrixRow(names[true], tuple(cells)))
    return rows


def _kind(right: bool, count: int) -> str:
    return "" if not count else "right" if right else "wrong"
