"""A flame graph of a profile as one SVG file that needs nothing else: no script, no font, no network.

A box is a function in one context, as wide as its share of all cycles, on top of its caller. Its colour
says what it mostly does, the strip along its lower edge is its CPI stack, and pointing at it tells all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from hil.report import format as fmt
from hil.report.cpi import LOOKS, MOSTLY_ISSUING, dominant
from hil.report.glyphs import DASH
from hil.twin.profile import Class, Profile
from hil.twin.timing.parameters import TICKS

WIDTH: Final = 1200
MARGIN: Final = 12
ROW: Final = 20
STRIP: Final = 4
HEAD: Final = 76
FOOT: Final = 42
LETTER: Final = 6.7
"""Width of a monospaced letter of 11 px, with a little to spare."""
THINNEST: Final = 0.4
"""Boxes that would be thinner are left out; `profile.folded` has them."""
TINT: Final = 0.5
"""How much white is mixed into a box, so that black text is readable on every colour."""

_STYLE: Final = (
    "text{font:11px 'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#111}"
    ".t{font-size:15px;font-weight:bold}.q{fill:#555}.f{stroke:#fff;stroke-width:.5}g.b:hover .f{stroke:#000}"
)


@dataclass(frozen=True)
class Box:
    """A function in one context, with everything it calls. `x` and `width` are shares of the whole."""

    name: str
    depth: int
    x: float
    width: float
    ticks: int
    self_ticks: int
    calls: int
    cpi: Mapping[Class, int]
    """Callees included."""


def boxes(profile: Profile) -> list[Box]:
    """The boxes from the roots up, callees side by side in the order they were first called."""
    stacks, whole = profile.stacks, profile.awake_ticks
    sums: list[dict[Class, int]] = [dict(stack.cpi) for stack in stacks]
    parents: list[int | None] = []
    open_at: list[int] = []
    for index, stack in enumerate(stacks):
        del open_at[len(stack.frames) - 1 :]
        parents.append(open_at[-1] if open_at else None)
        open_at.append(index)
    for index in reversed(range(len(stacks))):  # callees come behind their callers
        if (parent := parents[index]) is not None:
            for cls, ticks in sums[index].items():
                sums[parent][cls] += ticks
    free: dict[int | None, float] = {None: 0.0}
    found = []
    for index, stack in enumerate(stacks):
        parent, share = parents[index], stack.inclusive_ticks / whole if whole else 0.0
        x = free[index] = free[parent]
        free[parent] += share
        cost = (stack.inclusive_ticks, stack.self_ticks, stack.calls, sums[index])
        found.append(Box(stack.frames[-1], len(stack.frames) - 1, x, share, *cost))
    return found


def flame_graph(profile: Profile, title: str) -> str:
    """The SVG."""
    drawn = [box for box in boxes(profile) if box.width * (WIDTH - 2 * MARGIN) >= THINNEST]
    rows = 1 + max((box.depth for box in drawn), default=0)
    height = HEAD + rows * ROW + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *_head(profile, title),
        *(part for box in drawn for part in _box(box, HEAD + (rows - 1 - box.depth) * ROW)),
        *_sleep(profile, HEAD + rows * ROW + 12),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _head(profile: Profile, title: str) -> Iterator[str]:
    cycles = profile.awake_ticks / TICKS
    cpi = f", CPI {cycles / profile.instructions:.2f}" if profile.instructions else ""
    yield f'<text class="t" x="{MARGIN}" y="24">{escape(title)}</text>'
    summary = f"{cycles:,.0f} cycles, {profile.instructions:,} instructions{cpi}"
    yield f'<text class="q" x="{WIDTH - MARGIN}" y="24" text-anchor="end">{summary}</text>'
    x = float(MARGIN)
    for cls, look in LOOKS.items():
        share = fmt.percent(profile.cpi[cls] / profile.awake_ticks) if profile.awake_ticks else DASH
        text = f"{look.label} {share}"
        yield f'<rect x="{x:.1f}" y="38" width="11" height="11" fill="{look.colour}"/>'
        yield f'<text x="{x + 16:.1f}" y="48">{text}</text>'
        x += 16 + len(text) * LETTER + 16
    rule = (
        f"box: issue where at least {MOSTLY_ISSUING:.0%} of the cycles issue, else the largest stall, "
        "callees included; strip: the whole CPI stack"
    )
    yield f'<text class="q" x="{MARGIN}" y="66">{rule}</text>'


def _box(box: Box, y: int) -> Iterator[str]:
    x, width = _span(box.x, box.width)
    colour = LOOKS[dominant(box.cpi)].colour
    yield f'<g class="b"><title>{escape(_tooltip(box))}</title>'
    frame = f'x="{x:.2f}" y="{y}" width="{width:.2f}" height="{ROW - 1}"'
    yield f'<rect class="f" {frame} rx="1" fill="{_tinted(colour)}"/>'
    if width >= 8:
        yield from _strip(box, x, y + ROW - 1 - STRIP, width)
    room = int((width - 6) / LETTER)
    if room >= 3:
        yield f'<text x="{x + 3:.2f}" y="{y + 11}">{escape(fmt.cropped(box.name, room))}</text>'
    yield "</g>"


def _strip(box: Box, x: float, y: int, width: float) -> Iterator[str]:
    for cls, look in LOOKS.items():
        part = width * box.cpi[cls] / box.ticks
        if part >= THINNEST:
            place = f'x="{x:.2f}" y="{y}" width="{part:.2f}" height="{STRIP}"'
            yield f'<rect {place} fill="{look.colour}"/>'
        x += part


def _sleep(profile: Profile, y: int) -> Iterator[str]:
    """Beside the cycles, what part of the clock's ticks the core slept through."""
    whole = profile.awake_ticks + profile.sleep_ticks
    asleep = profile.sleep_ticks / whole if whole else 0.0
    x, width = _span(1 - asleep, asleep)
    cycles = f"{profile.sleep_ticks / TICKS:,.0f}"
    yield f"<g><title>sleep: {cycles} cycles, {fmt.percent(asleep)} of the time</title>"
    yield f'<rect x="{MARGIN}" y="{y}" width="{WIDTH - 2 * MARGIN}" height="4" fill="#444"/>'
    yield f'<rect x="{x:.2f}" y="{y}" width="{width:.2f}" height="4" fill="#ddd"/></g>'
    text = f"the time: awake (dark), asleep in WFI or WFE (light) {fmt.percent(asleep)}, {cycles} cycles"
    yield f'<text class="q" x="{MARGIN}" y="{y + 20}">{text}</text>'


def _span(x: float, width: float) -> tuple[float, float]:
    inner = WIDTH - 2 * MARGIN
    return MARGIN + x * inner, width * inner


def _tooltip(box: Box) -> str:
    shares = ", ".join(
        f"{look.label} {fmt.percent(box.cpi[cls] / box.ticks)}" for cls, look in LOOKS.items() if box.cpi[cls]
    )
    return (
        f"{box.name}: {box.ticks / TICKS:,.0f} cycles, {fmt.percent(box.width)} of all; "
        f"its own {box.self_ticks / TICKS:,.0f}; {box.calls:,} calls; {shares}"
    )


def _tinted(colour: str) -> str:
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * TINT):02x}" for part in parts)
