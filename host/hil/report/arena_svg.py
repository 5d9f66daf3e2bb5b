"""The memory plan as one SVG file: steps to the right, bytes upwards, a box for each buffer's life.

Where a step writes over its input, the input's box ends and the output's begins in the middle of the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from hil.deploy.memory.buffer import Buffer
from hil.deploy.plan import Plan, Region
from hil.report import format as fmt
from hil.report.arena import NAMES, bound_text, colour_of, step_names
from hil.report.glyphs import VERMILLION

WIDTH: Final = 1200
LEFT: Final = 76
RIGHT: Final = 16
HEAD: Final = 44
PANEL: Final = 300
"""Height of the taller arena; the other is drawn to the same scale."""
LEAST: Final = 60
BETWEEN: Final = 46
LETTER: Final = 6.7
"""Width of a monospaced letter of 11 px, with a little to spare."""

_STYLE: Final = (
    "text{font:11px 'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#111}"
    ".t{font-size:15px;font-weight:bold}.q{fill:#555}.on{fill:#111}.dim{fill:#444}"
    ".ground{fill:#fff}.lane{fill:#f2f2f2}.b{stroke:#fff;stroke-width:1}g:hover .b{stroke:#000}"
    "@media (prefers-color-scheme:dark){text{fill:#eee}.q{fill:#aaa}.on{fill:#111}.dim{fill:#222}"
    ".ground{fill:#15181d}.lane{fill:#1e232a}.b{stroke:#15181d}g:hover .b{stroke:#fff}}"
)


def arena_svg(plan: Plan, layers: Sequence[str], title: str) -> str:
    """The SVG."""
    names = step_names(layers)
    regions = [region for region, arena in plan.arenas.items() if arena.arena_bytes]
    most = max((plan.arenas[region].arena_bytes for region in regions), default=1)
    column = (WIDTH - LEFT - RIGHT) / len(names)
    parts: list[str] = []
    y = float(HEAD)
    for region in regions:
        height = max(LEAST, PANEL * plan.arenas[region].arena_bytes / most)
        y += BETWEEN
        parts += _panel(plan, region, column, y, height)
        y += height
    parts += _steps(names, column, y + 6)
    total = y + 24 + LETTER * max(len(name) for name in names) * 0.8
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{total:.0f}" '
        f'viewBox="0 0 {WIDTH} {total:.0f}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{total:.0f}"/>',
        f'<text class="t" x="16" y="26">{escape(title)}</text>',
        '<text class="q" x="16" y="46">each box a buffer: as wide as its life, as high as its bytes; '
        "blue tensors, orange scratch, green what is sent</text>",
    ]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def _panel(plan: Plan, region: Region, column: float, y: float, height: float) -> Iterator[str]:
    """One arena, offset 0 at the bottom."""
    arena = plan.arenas[region]
    scale = height / arena.arena_bytes
    bottom, right = y + height, WIDTH - RIGHT
    yield f'<text x="16" y="{y - 8:.1f}">{NAMES[region]}: {bound_text(arena)}</text>'
    place = f'x="{LEFT}" y="{y:.1f}" width="{right - LEFT}" height="{height:.1f}"'
    yield f'<rect class="lane" {place}/>'
    for share in (0.0, 0.5, 1.0):
        text = f"{share * arena.arena_bytes:,.0f}"
        at = bottom - share * height
        yield f'<text class="q" x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{text}</text>'
    inside = [b for b in plan.buffers if b.name in arena.offsets]
    for buffer in inside:
        begin, end = _span(buffer, inside, arena.offsets)
        offset, x, size = arena.offsets[buffer.name], LEFT + begin * column, buffer.size * scale
        yield from _box(buffer, offset, x, bottom - offset * scale - size, (end - begin) * column, size)
    line = bottom - arena.lower_bound * scale
    yield (
        f'<path d="M{LEFT} {line:.1f}H{right}" stroke="{VERMILLION}" stroke-dasharray="5 3">'
        f"<title>lower bound: {arena.lower_bound:,} bytes</title></path>"
    )


def _box(buffer: Buffer, offset: int, x: float, y: float, width: float, height: float) -> Iterator[str]:
    tooltip = f"{buffer.name}: {buffer.size:,} bytes at {offset:,}, steps {buffer.first} to {buffer.last}"
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(height, 1):.1f}"'
    edge = 'class="b" ' if height >= 3 else ""
    yield f'<g><title>{escape(tooltip)}</title><rect {edge}{place} fill="{colour_of(buffer)}"/>'
    room = int((width - 8) / LETTER)
    if height >= 13 and room >= 3:
        label = escape(fmt.cropped(buffer.name, room))
        yield f'<text class="on" x="{x + 4:.1f}" y="{y + 12:.1f}">{label}</text>'
    if height >= 27 and room >= len(f"{buffer.size:,}"):
        yield f'<text class="dim" x="{x + 4:.1f}" y="{y + 25:.1f}">{buffer.size:,}</text>'
    yield "</g>"


def _span(buffer: Buffer, inside: Sequence[Buffer], offsets: dict[str, int]) -> tuple[float, float]:
    """First and last moment in steps; half a step less where bytes are handed on to another buffer."""
    begin, end = float(buffer.first), buffer.last + 1.0
    for other in inside:
        low, high = offsets[buffer.name], offsets[buffer.name] + buffer.size
        shared = offsets[other.name] < high and low < offsets[other.name] + other.size
        if other is buffer or not shared:
            continue
        if other.last == buffer.first:
            begin = buffer.first + 0.5
        if other.first == buffer.last:
            end = buffer.last + 0.5
    return begin, end


def _steps(names: Sequence[str], column: float, y: float) -> Iterator[str]:
    for step, name in enumerate(names):
        x = LEFT + (step + 0.5) * column
        place = f'x="{x:.1f}" y="{y + 8:.1f}" text-anchor="end" transform="rotate(-40 {x:.1f} {y:.1f})"'
        yield f"<text {place}>{step} {escape(name)}</text>"
