"""The dashboard as a picture: `render(state, width, height, now_s)` fits any size above nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report import lines
from hil.report import statistics as stats
from hil.report.state import Dashboard

_TWO_COLUMNS: Final = 76
_PANEL_MIN: Final = 36
_FRAME: Final = 2
_INSET: Final = 4
"""A panel's border and one space, on both sides."""


@dataclass(frozen=True)
class Row:
    """A part of the picture that needs `least` lines; one that stretches takes what is left over."""

    least: int
    draw: Callable[[int], RenderableType]
    stretches: bool = False


def render(state: Dashboard, width: int, height: int, now_s: float) -> RenderableType:
    """The state at `width` × `height` characters."""
    if width < _PANEL_MIN or height < 7:
        return _minimal(state, width, height, now_s)
    if state.run is None:
        return _preparing(state, width, height, now_s)
    rows = _wide(state, width, now_s) if width >= _TWO_COLUMNS else _narrow(state, width, now_s)
    return _fit(rows, height)


def _fit(rows: Sequence[Row], height: int) -> RenderableType:
    """The rows that fit, in order; rows are listed from the top, and the first ones matter most."""
    chosen: list[Row] = []
    left = height
    for row in rows:
        if row.least <= left:
            chosen.append(row)
            left -= row.least
    drawn = []
    for row in chosen:
        extra = left if row.stretches else 0
        left -= extra
        drawn.append(row.draw(row.least + extra))
    return Group(*drawn)


def _same(drawn: RenderableType, height: int) -> RenderableType:
    """`drawn`, whatever the height."""
    return drawn


def _head(state: Dashboard, width: int, now_s: float) -> list[Row]:
    inner = width - _INSET
    return [
        Row(1, lambda _: lines.header(state, width)),
        Row(1, lambda _: lines.stages_in_one_line(state, now_s)),
        Row(4, lambda h: _panel("samples", lines.progress(state, inner, now_s), h, width)),
        *(Row(1, partial(_same, warning)) for warning in lines.warning(state)),
    ]


def _wide(state: Dashboard, width: int, now_s: float) -> list[Row]:
    left, right = width // 2, width - width // 2

    def split(height: int) -> RenderableType:
        return _beside(
            _panel(
                "latency, ms", lines.latency(state, left - _INSET), height, left, _source(state, "latency")
            ),
            _panel(
                "energy, mJ", lines.energy(state, right - _INSET), height, right, _source(state, "energy")
            ),
        )

    def rest(height: int) -> RenderableType:
        return _beside(
            _panel("device and link", lines.device(state, left - _INSET), height, left),
            _panel("latest samples", lines.predictions(state, height - _FRAME), height, right),
        )

    return [*_head(state, width, now_s), Row(10, split), Row(5, rest, stretches=True)]


def _narrow(state: Dashboard, width: int, now_s: float) -> list[Row]:
    inner = width - _INSET

    def latest(height: int) -> RenderableType:
        return _panel("latest samples", lines.predictions(state, height - _FRAME), height, width)

    return [
        *_head(state, width, now_s),
        Row(
            10,
            lambda h: _panel("latency, ms", lines.latency(state, inner), h, width, _source(state, "latency")),
        ),
        Row(7, lambda h: _panel("device and link", lines.device(state, inner), h, width)),
        Row(
            10, lambda h: _panel("energy, mJ", lines.energy(state, inner), h, width, _source(state, "energy"))
        ),
        Row(3, latest, stretches=True),
    ]


def _preparing(state: Dashboard, width: int, height: int, now_s: float) -> RenderableType:
    shown = [lines.stage_line(stage, width - _INSET, now_s) for stage in state.stages]
    warnings = lines.warning(state)
    visible = max(1, height - 1 - _FRAME - len(warnings))
    panel = _panel("stages", shown[-visible:], min(visible, max(1, len(shown))) + _FRAME, width)
    return Group(lines.header(state, width), *warnings, panel)


def _minimal(state: Dashboard, width: int, height: int, now_s: float) -> RenderableType:
    """For a terminal too small for frames: the figures that matter most, one a line."""
    tally = state.tally
    if state.run is None:
        rows = [f"{stage.name} {stage.done}/{stage.total}" for stage in state.stages[-1:]] or ["preparing"]
    else:
        total = stats.latency_spreads(state).get("total")
        rows = [
            f"{tally.samples}/{state.run.samples} {fmt.clock(stats.eta_s(state, now_s))}",
            f"accuracy {fmt.percent(stats.ratio(tally.correct, tally.samples))}",
            f"{fmt.figure(total.mean if total else None)} ms",
            f"fallbacks {tally.fallbacks}",
        ]
    cropped = [Text(fmt.cropped(row, width), no_wrap=True) for row in rows[: max(1, height)]]
    return Group(*cropped)


def _panel(title: str, content: Sequence[Text], height: int, width: int, subtitle: str = "") -> Panel:
    return Panel(
        Group(*content[: max(0, height - _FRAME)]),
        title=f"[bold]{title}[/]",
        title_align="left",
        subtitle=subtitle or None,
        subtitle_align="right",
        border_style=g.GREY,
        box=box.ROUNDED,
        height=height,
        width=width,
    )


def _beside(left: RenderableType, right: RenderableType) -> RenderableType:
    grid = Table.grid(padding=0)
    grid.add_row(left, right)
    return grid


def _source(state: Dashboard, figure: str) -> str:
    """Where a figure comes from, as the run declared it."""
    run = state.run
    if run is None:
        return ""
    found = [value for key, value in run.sources.items() if key == figure or key.startswith(f"{figure}.")]
    return f"[{g.GREY}]{'+'.join(dict.fromkeys(str(value) for value in found))}[/]" if found else ""
