"""The drawings of a run's page. Each colour stands beside a word, a place or a mark of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.svg_figure import INK, MAIN, plot
from hil.session.events import LatencyParts, SampleRecord
from hil.session.summary import OUTCOMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PARTS: Final = ("local", "link", "remote", "fuse")
MARKERS: Final = {"answered": "o", "fallback": "^", "local": "s", "failed": "X"}
OUTCOME_COLOURS: Final = {
    "answered": MAIN,
    "fallback": g.VERMILLION,
    "local": g.GREEN,
    "failed": g.SILVER,
}
LEGEND: Final = 48
"""Letters of a name in a legend."""
SHOWN: Final = 1500
"""Samples that a drawing shows at most: a page of thousands of points is slow, and no clearer."""
_ROOM: Final = 0.12
"""Share of an axis that a bar needs to carry its own number."""


@dataclass(frozen=True)
class Point:
    """A run or a cell among others."""

    name: str
    x: float
    y: float
    own: bool = False
    """It is the one the page is about."""


def _timed(records: Sequence[SampleRecord]) -> list[tuple[SampleRecord, LatencyParts]]:
    return [(record, record.latency_ms) for record in records if record.latency_ms is not None]


def step_of(records: Sequence[SampleRecord]) -> int:
    """Every how many-th sample is drawn."""
    return max(1, -(-len(records) // SHOWN))


def has_latency(records: Sequence[SampleRecord]) -> bool:
    """Whether there is anything to draw."""
    return bool(_timed(records))


def over_samples(records: Sequence[SampleRecord], name: str) -> str:
    """Latency of each sample in the order they ran, a marker by outcome; and how it is distributed."""

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        _scattered(left, records)
        _distributed(right, records)

    timed = _timed(records)
    totals = [latency.total for _, latency in timed]
    label = (
        f"Latency of {len(timed)} samples in milliseconds: from {fmt.figure(min(totals))} to "
        f"{fmt.figure(max(totals))}, median {fmt.figure(float(np.median(totals)))}"
    )
    return plot(draw, 9.6, 3.2, name, label)


def _scattered(axis: Axes, records: Sequence[SampleRecord]) -> None:
    for outcome in OUTCOMES:
        found = [
            (record.index, record.latency_ms.total if record.latency_ms else 0.0)
            for record in records[:: step_of(records)]
            if record.outcome == outcome
        ]
        if found:
            look: dict[str, Any] = {"color": OUTCOME_COLOURS[outcome], "marker": MARKERS[outcome]}
            at, totals = zip(*found, strict=True)
            axis.scatter(at, totals, s=17, linewidths=0, label=outcome, clip_on=False, zorder=3, **look)
    axis.set(title="latency by sample", xlabel="sample, in the order they ran", ylabel="ms")
    axis.set_ylim(bottom=0)
    axis.margins(x=0.02)
    axis.legend(loc="best", ncols=4, handletextpad=0.2, columnspacing=1)


def _distributed(axis: Axes, records: Sequence[SampleRecord]) -> None:
    totals = np.sort([part.total for _, part in _timed(records)])
    shares = np.arange(1, len(totals) + 1) / len(totals)
    last = slice(step_of(records) - 1, None, step_of(records))
    axis.step([totals[0], *totals[last]], [0, *shares[last]], where="post", color=MAIN)
    for percentile, height in ((50, 0.5), (95, 0.95), (99, 0.99)):
        at = float(np.percentile(totals, percentile))
        to_right = at < 0.5 * totals[-1]
        axis.plot([at], [height], marker="o", ms=4, color=INK)
        axis.annotate(
            f"p{percentile}  {fmt.figure(at)}",
            (at, height),
            (7 if to_right else -7, {50: 3, 95: -11, 99: 5}[percentile]),
            textcoords="offset points",
            ha="left" if to_right else "right",
            fontsize=9,
        )
    axis.set(title="share of samples at most as slow", xlabel="ms", yticks=[0, 0.25, 0.5, 0.75, 1])
    axis.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axis.set_ylim(0, 1.08)
    axis.set_xlim(left=0)


def by_outcome(records: Sequence[SampleRecord], name: str) -> str:
    """Mean latency as local, link, remote and fuse, a bar for each outcome."""
    rows = []
    for outcome in OUTCOMES:
        parts = [part for record, part in _timed(records) if record.outcome == outcome]
        if parts:
            means = {place: float(np.mean([getattr(part, place) for part in parts])) for place in PARTS}
            rows.append((f"{outcome} ({len(parts)})", means))

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        most = max(sum(means.values()) for _, means in rows)
        for at, (_, means) in enumerate(rows):
            begin = 0.0
            for place, length in means.items():
                _bar(axis, at, begin, length, place, most, legend=at == 0)
                begin += length
            axis.text(begin + 0.008 * most, at, f"{fmt.figure(begin)} ms", va="center", fontsize=9.5)
        axis.set_yticks(range(len(rows)), [label for label, _ in rows])
        axis.set(xlabel="ms, mean over the samples of an outcome", xlim=(0, 1.1 * most))
        axis.set_ylim(len(rows) - 0.45, -0.55)
        axis.grid(False, axis="y")
        figure.legend(loc="outside upper left", ncols=4)

    words = "; ".join(
        f"{label}: " + ", ".join(f"{place} {fmt.figure(length)}" for place, length in means.items())
        for label, means in rows
    )
    return plot(draw, 9.6, 1.15 + 0.42 * len(rows), name, f"Mean latency in milliseconds by outcome. {words}")


def _bar(axis: Axes, at: int, begin: float, length: float, place: str, most: float, legend: bool) -> None:
    axis.barh(
        at,
        length,
        left=begin,
        height=0.62,
        color=g.PART_COLOURS[place],
        linewidth=0,
        label=place if legend else None,
    )
    if length > _ROOM * most:
        text = f"{place} {fmt.figure(length)}"
        axis.text(begin + length / 2, at, text, ha="center", va="center", fontsize=9, color="#000")


def by_sample(records: Sequence[SampleRecord], name: str) -> str:
    """The parts of every sample's latency, the fastest sample first."""
    whole = sorted((part for _, part in _timed(records)), key=lambda part: part.total)
    step = step_of(records)
    parts = whole[step // 2 :: step]

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        edges = np.append(np.arange(len(parts)) * step, len(whole))
        floor = np.zeros(len(parts))
        for place in PARTS:
            top = floor + np.array([getattr(part, place) for part in parts])
            axis.fill_between(
                edges,
                np.append(floor, floor[-1]),
                np.append(top, top[-1]),
                step="post",
                color=g.PART_COLOURS[place],
                linewidth=0,
                label=place,
            )
            floor = top
        axis.set(xlabel="samples, the fastest first", ylabel="ms", xlim=(0, len(whole)))
        axis.set_ylim(bottom=0)
        figure.legend(loc="outside upper left", ncols=5, title="from below:", alignment="left")

    label = f"Latency of {len(whole)} samples, sorted, stacked from local, link, remote and fuse"
    return plot(draw, 9.6, 2.7, name, label)


def scatter(points: Sequence[Point], name: str) -> str:
    """Accuracy over latency; marks and words tell the runs apart, not hue alone."""

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        marks, colours = "oDs^vPX*", (MAIN, g.ORANGE, g.GREEN, g.PURPLE, g.VERMILLION, g.SKY)
        for number, point in enumerate(points):
            axis.scatter(
                point.x,
                100 * point.y,
                s=110 if point.own else 55,
                marker=marks[number % len(marks)],
                color=colours[number % len(colours)],
                edgecolors=INK if point.own else "none",
                label=fmt.cropped(point.name, LEGEND),
                zorder=3,
            )
        axis.set(xlabel="latency, mean, ms", ylabel="accuracy, %")
        axis.margins(0.12)
        axis.set_xlim(left=0)
        figure.legend(loc="outside right upper")

    words = "; ".join(f"{p.name}: {fmt.figure(p.x)} ms, {fmt.percent(p.y)}" for p in points)
    return plot(draw, 9.6, 3.4, name, f"Accuracy over latency. {words}")
