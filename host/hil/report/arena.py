"""The memory plan as text: a row for each buffer, in the order of their offsets; steps run to the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hil.deploy.memory.buffer import Buffer
from hil.deploy.memory.place import Placement
from hil.deploy.plan import CODEC_SCRATCH, PAYLOAD, SYMBOLS, Plan, Region
from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.frame import new_table

AFTERWARDS: Final = ("quantise", "encode", "send")
"""The steps that follow the layers."""

NAMES: Final = {Region.DTCM: "DTCM", Region.SRAM: "SRAM"}

_NUMBERS: Final = 42
"""Columns beside the steps: name, offset, bytes, and what lies between them."""


def step_names(layers: Sequence[str]) -> tuple[str, ...]:
    """All steps of a plan by name."""
    return (*layers, *AFTERWARDS)


def colour_of(buffer: Buffer) -> str:
    """By what the buffer is for; its name says the same."""
    if buffer.scratch or buffer.name == CODEC_SCRATCH:
        return g.ORANGE
    return g.GREEN if buffer.name in (SYMBOLS, PAYLOAD) else g.SKY


def bound_text(arena: Placement) -> str:
    """How far an arena is from the least there can be."""
    whole, bound = f"{arena.arena_bytes:,} bytes", f"{arena.lower_bound:,}"
    if not arena.gap_bytes:
        return f"{whole}, the least that its buffers can take"
    share = fmt.percent(arena.gap_bytes / arena.lower_bound)
    return f"{whole}; its buffers take at least {bound}, so the gap is at most {share}"


def arena_view(plan: Plan, layers: Sequence[str], width: int) -> RenderableType:
    """One map for each arena, then what the steps are called."""
    scale = Scale.fitting(len(plan.alive), width - _NUMBERS)
    parts: list[RenderableType] = []
    for region, arena in plan.arenas.items():
        if arena.arena_bytes:
            parts += [Text(f"{NAMES[region]}: {bound_text(arena)}", style="bold"), _map(plan, region, scale)]
    return Group(*parts, *_legend(step_names(layers), width))


@dataclass(frozen=True)
class Scale:
    """Steps as columns: several columns a step, or several steps a column."""

    steps: int
    each: int
    """Steps a column."""
    wide: int
    """Columns a step; 1 where `each` is more than 1."""

    @classmethod
    def fitting(cls, steps: int, columns: int) -> Scale:
        """As wide as `columns` allow, and a step no wider than four."""
        columns = max(4, columns)
        return cls(steps, -(-steps // columns), max(1, min(4, columns // steps)))

    def groups(self) -> list[range]:
        """The steps of each column, or of each `wide` columns."""
        return [range(at, min(at + self.each, self.steps)) for at in range(0, self.steps, self.each)]

    def ruler(self) -> Text:
        """A number over every step, or over as many as there is room for."""
        every = next(n for n in (1, 2, 5, 10) if n * self.wide >= min(10, 1 + len(f"{self.steps - 1}")))
        starts = [group.start for group in self.groups()][::every]
        return Text("".join(f"{start:<{every * self.wide}}" for start in starts).rstrip())


def _legend(names: Sequence[str], width: int) -> list[Text]:
    """Number and name of every step, none of them broken."""
    lines = ["steps:"]
    for step, name in enumerate(names):
        entry = fmt.cropped(f"  {step} {name}", width)
        if len(lines[-1]) + len(entry) > width:
            lines.append("      ")
        lines[-1] += entry
    return [Text(line, style=g.GREY) for line in lines]


def _map(plan: Plan, region: Region, scale: Scale) -> Table:
    arena = plan.arenas[region]
    table = new_table()
    table.add_column("buffer", no_wrap=True, max_width=20)
    table.add_column("offset", justify="right", no_wrap=True)
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column(scale.ruler(), no_wrap=True)
    inside = [b for b in plan.buffers if b.name in arena.offsets]
    for buffer in sorted(inside, key=lambda b: (arena.offsets[b.name], b.first)):
        offset = f"{arena.offsets[buffer.name]:,}"
        table.add_row(Text(buffer.name), offset, f"{buffer.size:,}", _life(buffer, scale))
    table.add_section()
    alive = [sum(b.size for b in inside if b.first <= step <= b.last) for step in range(scale.steps)]
    table.add_row("alive, at most", "", f"{max(alive):,}", _levels(alive, scale, max(alive)))
    return table


def _life(buffer: Buffer, scale: Scale) -> Text:
    line = Text()
    for group in scale.groups():
        alive = buffer.first < group.stop and group.start <= buffer.last
        glyph, style = (g.PARTS[0], colour_of(buffer)) if alive else (g.DOT, g.GREY)
        line.append(glyph * scale.wide, style=style)
    return line


def _levels(alive: Sequence[int], scale: Scale, full: int) -> Text:
    """Bytes alive at each step, of the most there are; the fullest of several steps counts."""
    columns = [max(alive[step] for step in group) for group in scale.groups()]
    top = len(g.SPARKS) - 1
    return Text(
        "".join((g.SPARKS[round(top * count / full)] if count else " ") * scale.wide for count in columns)
    )
