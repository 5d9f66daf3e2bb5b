"""The page of a run: one HTML file that needs nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

import hil
from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report import run_plots as plots
from hil.report import run_sections as sections
from hil.report.fields import inner, number
from hil.report.figures import figures
from hil.report.html import ORIGINS, page
from hil.report.run_data import RunData
from hil.report.run_head import facts, tiles, title, verdict
from hil.report.svg_figure import scoped
from hil.report.worst import BRIGHT, SLOW, WRONG, Chosen, Pictures, choose, pictures


@dataclass(frozen=True)
class Drawing:
    """An SVG with what stands under it."""

    svg: Markup
    caption: str
    origins: tuple[str, ...] = ()
    plot: bool = True


@dataclass(frozen=True)
class Card:
    """A sample worth a look."""

    why: str
    headline: str
    detail: str
    sample: int
    label: str
    picture: Any
    shares: str
    greatest: float


def run_page(
    data: RunData,
    others: Sequence[RunData] = (),
    data_dir: Path | None = None,
    bundle: Path | None = None,
) -> str:
    """The page of `data` beside `others`; `data_dir` and `bundle` as for `worst.pictures`."""
    summary = data.summary
    chosen = choose(data.records)
    shown = pictures(summary, chosen, data_dir, bundle)
    beside = _others(data, others) if others else None
    energy = sections.energy_cuts(summary)
    layers = sections.layers_section(summary)
    anchors = [("latency", "Latency"), ("energy", "Energy"), ("memory", "Memory"), ("layers", "Layers")]
    anchors += [("accuracy", "Accuracy"), ("others", "Beside other runs"), ("samples", "Samples")]
    anchors += [("provenance", "Provenance"), ("origins", "Origins")]
    absent = {"energy": not energy, "layers": not layers["rows"], "others": beside is None}
    return page(
        "run.html",
        title=title(summary),
        name=data.name,
        sections=[anchor for anchor in anchors if not absent.get(anchor[0])],
        facts=facts(summary),
        verdict=verdict(summary),
        tiles=tiles(summary),
        latency=_latency(data),
        energy=energy,
        memory=_memory(data),
        layers=layers,
        accuracy=sections.accuracy_section(data, shown.names),
        others=beside,
        samples=_samples(data, chosen, shown),
        provenance=provenance(inner(summary, "provenance")),
        command=command_of(inner(summary, "provenance")),
        used_origins=_used(summary, others),
        version=hil.__version__,
    )


def _used(summary: Mapping[str, Any], others: Sequence[RunData]) -> list[str]:
    found = [source for each in (summary, *(run.summary for run in others)) for source in _sources(each)]
    known = [name for name in ORIGINS if name in found]
    return [*known, *dict.fromkeys(name for name in found if name not in ORIGINS), "counted", "elf"]


def _sources(summary: Mapping[str, Any]) -> list[str]:
    return [source for figure in figures(summary).values() for source in figure.sources]


def _latency(data: RunData) -> dict[str, Any]:
    summary, records = data.summary, data.records
    whole = figures(summary)["latency_ms.mean"]
    drawings: list[Drawing] = []
    if plots.has_latency(records):
        step = plots.step_of(records)
        thinned = f" One sample in {step} is drawn." if step > 1 else ""
        draw = (
            (
                plots.over_samples,
                "latency-over",
                f"Each sample’s latency, and its distribution.{thinned}",
            ),
            (plots.by_outcome, "latency-outcome", "What the latency is made of, by how samples ended."),
            (plots.by_sample, "latency-sorted", f"The same for each sample, sorted by its latency.{thinned}"),
        )
        drawings = [
            Drawing(Markup(function(records, name)), caption, whole.sources)
            for function, name, caption in draw
        ]
    timeline = _timeline(data)
    segments = sections.latency_segments(summary)
    missing = [f"No latency by sample: {data.missing['samples']}."] if not drawings else []
    if drawings and "samples" in data.missing:
        missing.append(f"Not all samples are shown: {data.missing['samples']}.")
    if not segments:
        missing.append("The summary has no latency.")
    if records and (counted := number(summary.get("samples"))) is not None and counted < len(records):
        missing.append(
            f"The summary was written after {counted:.0f} samples; drawings and accuracy below are of the "
            f"{len(records)} in events.jsonl."
        )
    return {
        "segments": segments,
        "total": fmt.figure(whole.value),
        "origins": whole.sources,
        "missing": missing,
        "drawings": [*([timeline] if timeline else []), *drawings],
    }


def _timeline(data: RunData) -> Drawing | None:
    """The sample of median latency; none where the summary lacks what it is drawn from."""
    from hil.report.timeline import chart, median_sample
    from hil.report.timeline_svg import timeline_svg

    median = median_sample(data.records)
    if median is None:
        return None
    try:
        svg = timeline_svg(chart(data.summary, median))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    label = f"Timeline of sample {median.index}: when device, radio and server half were busy"
    caption = f"The sample of median latency, number {median.index}: who was busy when."
    return Drawing(Markup(scoped(svg, "timeline", label)), caption, plot=False)


def _memory(data: RunData) -> dict[str, Any]:
    from hil.report.arena_svg import arena_svg

    bars = sections.memory_bars(data.summary)
    missing = [] if bars else ["The summary does not say how much memory the board has."]
    drawn = None
    if data.plan is None:
        missing.append(f"No map of the arenas: {data.missing['memory']}.")
    elif data.plan.buffers:
        svg = arena_svg(data.plan, data.steps, title(data.summary))
        drawn = Markup(scoped(svg, "arenas", "Map of the arenas: a box for each buffer"))
    return {"bars": bars, "map": drawn, "missing": missing}


def _samples(data: RunData, chosen: Sequence[Chosen], shown: Pictures) -> dict[str, Any]:
    from hil.explain.answer import INTERVALS

    missing = [word[:1].upper() + word[1:] for word in shown.missing] if chosen else []
    if not data.records:
        missing.append(f"No samples to show: {data.missing['samples']}.")
    return {
        "cards": [_card(choice, shown) for choice in chosen],
        "missing": missing,
        "kept": shown.kept,
        "of_input": shown.of_input,
        "heated": any(picture.heat for picture in shown.by_index.values()),
        "intervals": INTERVALS,
        "bright": 100 - BRIGHT,
        "wrong_limit": WRONG,
        "slow_limit": SLOW,
    }


def _card(choice: Chosen, shown: Pictures) -> Card:
    record, names = choice.record, shown.names

    def name(label: int | None) -> str:
        return g.DASH if label is None else names[label] if label < len(names) else str(label)

    headline = {
        "failed": f"{name(record.label)}, not answered",
        "wrong": f"{name(record.prediction)} for {name(record.label)}",
        "slow": f"{name(record.label)}, right but slow",
    }[choice.why]
    words = [f"sample {record.sample}", record.outcome]
    if record.latency_ms is not None:
        words.append(f"{fmt.figure(record.latency_ms.total)} ms")
    if record.payload_bytes:
        words.append(f"{record.payload_bytes} B")
    if choice.why == "wrong" and record.float_prediction is not None:
        words.append(f"float model: {name(record.float_prediction)}")
    if record.reason:
        words.append(str(record.reason))
    picture = shown.by_index.get(record.index)
    shares = picture.shares if picture else ()
    greatest = max(shares, default=0.0) or 1.0
    text = _shares(shares, shown.kept)
    return Card(
        choice.why, headline, ", ".join(words), record.sample, name(record.label), picture, text, greatest
    )


def _shares(shares: Sequence[float], kept: int) -> str:
    if not any(shares):
        return "no importance at all"
    best = max(range(len(shares)), key=lambda at: shares[at])
    text = f"most in channel {best}: {fmt.percent(shares[best])}"
    if kept:
        text += f"; {fmt.percent(sum(shares[:kept]))} stays on the device"
    return text


def _others(data: RunData, others: Sequence[RunData]) -> dict[str, Any]:
    """Runs of the same data set beside this one."""
    wanted = data.summary.get("dataset")
    missing = [
        f"{run.name} ran on {run.summary.get('dataset')}, not on {wanted}, and is left out."
        for run in others
        if run.summary.get("dataset") != wanted
    ]
    runs = [data, *(run for run in others if run.summary.get("dataset") == wanted)]
    rows = [_row(run) for run in runs]
    points = [
        plots.Point(row["name"], row["latency"], row["accuracy"], own=at == 0)
        for at, row in enumerate(rows)
        if row["latency"] is not None and row["accuracy"] is not None
    ]
    drawing = None
    if points:
        sources = tuple(dict.fromkeys(source for row in rows for source in row["origins"]))
        svg = plots.scatter(points, "others-scatter")
        drawing = Drawing(Markup(svg), "Accuracy over mean latency; this run is the large mark.", sources)
    return {"missing": missing, "rows": rows, "drawing": drawing}


def _row(run: RunData) -> dict[str, Any]:
    summary, found = run.summary, figures(run.summary)
    latency = found["latency_ms.mean"]
    return {
        "name": f"{summary.get('scheme')}, {summary.get('radio')}",
        "folder": run.name,
        "samples": number(summary.get("samples")),
        "accuracy": found["accuracy"].value,
        "latency": latency.value,
        "energy": found["energy_mj.mean"].value,
        "payload": found["payload_bytes.mean"].value,
        "origins": latency.sources,
    }


def provenance(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Everything about where figures come from but the command, one line each."""
    rows: list[tuple[str, str]] = []
    for key, value in document.items():
        if key == "command" or value in (None, "", [], {}):
            continue
        rows.append((str(key).replace("_", " "), _line(value)))
    return rows


def command_of(document: Mapping[str, Any]) -> str:
    """The command as it can be typed again."""
    words = document.get("command")
    if isinstance(words, str):
        return words
    if not isinstance(words, list) or not words:
        return ""
    return shlex.join(["hil" if words[0] == "__main__.py" else str(words[0]), *map(str, words[1:])])


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_line(each)}" for key, each in value.items() if each is not None)
    return ", ".join(_line(each) for each in value) if isinstance(value, list) else str(value)
