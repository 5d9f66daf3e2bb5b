"""A chart of one inference as one SVG file that needs nothing else, on light and on dark ground.

Above the whole inference; below, where it would be a sliver, the part in which the device computes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from hil.report import format as fmt
from hil.report.timeline import IDLE, Bar, Chart, Lane

WIDTH: Final = 1200
LEFT: Final = 150
RIGHT: Final = 24
HEAD: Final = 66
LANE: Final = 40
BAR: Final = 24
AXIS: Final = 44
BETWEEN: Final = 34
LETTER: Final = 6.7
"""Width of a monospaced letter of 11 px, with a little to spare."""
SLIVER: Final = 0.45
"""Computing that takes less of the whole is shown once more, larger."""
CLOSE_UP: Final = 1.25
"""What the close-up shows, in multiples of the time that the device computes."""
TICKS: Final = 8

_STYLE: Final = (
    "text{font:11px 'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#111}"
    ".t{font-size:15px;font-weight:bold}.q{fill:#555}.on{fill:#111}"
    ".ground{fill:#fff}.grid{stroke:#ddd}.lane{fill:#f4f4f4}.idle{fill:#d8d8d8}"
    ".hidden{fill:#009e73;fill-opacity:.14}.edge{stroke:#555;stroke-dasharray:4 3}"
    ".way{stroke:#777;stroke-width:1.5}.mark{fill:#111}.b{stroke:#fff;stroke-width:.7}"
    "@media (prefers-color-scheme:dark){text{fill:#eee}.q{fill:#aaa}.on{fill:#111}.ground{fill:#15181d}"
    ".grid{stroke:#333a44}.lane{fill:#1e232a}.idle{fill:#6b737e}.hidden{fill-opacity:.3}"
    ".edge{stroke:#aaa}.way{stroke:#aaa}.mark{fill:#eee}.b{stroke:#15181d}}"
)


@dataclass(frozen=True)
class _Panel:
    """A span of time across the whole width."""

    title: str
    end_ms: float
    y: float

    def x(self, at_ms: float) -> float:
        inner = WIDTH - LEFT - RIGHT
        return LEFT + inner * min(max(at_ms, 0.0), self.end_ms) / self.end_ms


def timeline_svg(chart: Chart) -> str:
    """The SVG."""
    spans = [("the whole inference", max(chart.total_ms, 1e-6))]
    close_up_ms = CLOSE_UP * chart.own_ms
    if 0 < close_up_ms < SLIVER * chart.total_ms:
        spans.append(("while the device computes", close_up_ms))
    height = LANE * len(chart.lanes) + AXIS
    panels = [
        _Panel(title, end_ms, HEAD + BETWEEN + number * (height + BETWEEN))
        for number, (title, end_ms) in enumerate(spans)
    ]
    total = panels[-1].y + height + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{total:.0f}" '
        f'viewBox="0 0 {WIDTH} {total:.0f}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{total:.0f}"/>',
        f'<text class="t" x="16" y="26">{escape(chart.title)}</text>',
        f'<text class="q" x="16" y="46">{escape(_caption(chart))}</text>',
        *(line for panel in panels for line in _panel(chart, panel)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _caption(chart: Chart) -> str:
    rest = "thin lines: bits on their way; triangles: bytes handed to the radio; under a name its source"
    if not chart.hidden_ms:
        return rest
    return f"green ground: {fmt.figure(chart.hidden_ms)} ms of the link beside computing; {rest}"


def _panel(chart: Chart, panel: _Panel) -> Iterator[str]:
    height = LANE * len(chart.lanes)
    yield f'<text x="16" y="{panel.y - 10:.1f}">{escape(panel.title)}</text>'
    for number in range(len(chart.lanes)):
        y = panel.y + number * LANE + (LANE - BAR) / 2
        yield f'<rect class="lane" x="{LEFT}" y="{y:.1f}" width="{WIDTH - LEFT - RIGHT}" height="{BAR}"/>'
    yield from _axis(panel, height)
    if chart.hidden_ms:
        x, end = panel.x(chart.own_ms - chart.hidden_ms), panel.x(chart.own_ms)
        place = f'x="{x:.2f}" y="{panel.y:.1f}" width="{max(end - x, 0.5):.2f}" height="{height}"'
        yield f'<rect class="hidden" {place}/>'
    for number, lane in enumerate(chart.lanes):
        yield from _lane(lane, panel, panel.y + number * LANE)


def _axis(panel: _Panel, height: float) -> Iterator[str]:
    step = _step(panel.end_ms)
    digits = max(0, -math.floor(math.log10(step)))
    bottom = panel.y + height
    for number in range(int(panel.end_ms / step + 1e-9) + 1):
        x = panel.x(number * step)
        yield f'<path class="grid" d="M{x:.2f} {panel.y:.1f}V{bottom:.1f}"/>'
        label = f"{number * step:.{digits}f}"
        yield f'<text class="q" x="{x:.2f}" y="{bottom + 14:.1f}" text-anchor="middle">{label}</text>'
    text = "milliseconds since the input was in the device's memory"
    yield f'<text class="q" x="{WIDTH - RIGHT}" y="{bottom + 32:.1f}" text-anchor="end">{text}</text>'


def _step(end_ms: float) -> float:
    """1, 2 or 5 times a power of ten, so that there are about `TICKS` of them."""
    power = 10.0 ** math.floor(math.log10(end_ms / TICKS))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power * TICKS >= end_ms)


def _lane(lane: Lane, panel: _Panel, y: float) -> Iterator[str]:
    middle = y + LANE / 2
    yield f'<text x="16" y="{middle:.1f}">{escape(lane.name)}</text>'
    yield f'<text class="q" x="16" y="{middle + 13:.1f}">{escape(lane.source)}</text>'
    for bar in lane.bars:
        if bar.begin_ms < panel.end_ms:
            yield from _bar(bar, panel, y + (LANE - BAR) / 2)
    for at_ms, what in lane.marks:
        if at_ms <= panel.end_ms:
            x, top = panel.x(at_ms), y + (LANE + BAR) / 2
            shape = f"M{x - 4:.2f} {top + 1:.1f}h8l-4 7z"
            yield f'<path class="mark" d="{shape}"><title>{escape(what)}</title></path>'


def _bar(bar: Bar, panel: _Panel, y: float) -> Iterator[str]:
    x, end = panel.x(bar.begin_ms), panel.x(bar.end_ms)
    width = max(end - x, 1.0)
    span = f"{fmt.figure(bar.begin_ms)} to {fmt.figure(bar.end_ms)} ms"
    yield f"<g><title>{escape(f'{bar.detail}; {span}')}</title>"
    if bar.tail_ms is not None and bar.tail_ms > bar.end_ms:
        line = f"M{end:.2f} {y + BAR / 2:.1f}H{panel.x(bar.tail_ms):.2f}"
        yield f'<path class="way" d="{line}"/>'
    edge = "b" if width >= 4 else ""
    fill = f'class="idle {edge}"' if bar.colour == IDLE else f'class="{edge}" fill="{bar.colour}"'
    yield f'<rect {fill} x="{x:.2f}" y="{y:.1f}" width="{width:.2f}" height="{BAR}" rx="1"/>'
    room = int((width - 6) / LETTER)
    if room >= min(len(bar.label), 4):
        text = escape(fmt.cropped(bar.label, room))
        yield f'<text class="on" x="{x + 3:.2f}" y="{y + BAR / 2 + 4:.1f}">{text}</text>'
    yield "</g>"
