"""An experiment's charts. What tells lines apart is a colour and a mark each, never hue alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from hil.experiments.experiment import Chart, Column
from hil.experiments.result import CellResult, Result
from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.fields import number
from hil.report.run_plots import LEGEND
from hil.report.svg_figure import GROUND, MAIN, QUIET, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: Final = (MAIN, g.ORANGE, g.GREEN, g.PURPLE, g.VERMILLION, g.SILVER, g.SKY, g.YELLOW)
MARKS: Final = "osD^vPX*"
DASHES: Final[tuple[Any, ...]] = ("-", "--", ":", "-.")
PANELS: Final = "dataset"
"""The variable that gets a panel for each value rather than a line."""
WIDE, NARROW, HEIGHT = 10.4, 6.0, 3.7
"""Inches; a narrow chart has one panel."""
WIDE_LETTERS, NARROW_LETTERS = 118, 66
"""What a line of the legend holds, marks and gaps included."""


@dataclass(frozen=True)
class _Line:
    """Points that belong together."""

    own: str
    """Of the series."""
    rest: str
    """Of whatever else varies."""
    colour: str
    mark: str
    dash: Any
    xs: tuple[Any, ...]
    ys: tuple[float, ...]


@dataclass(frozen=True)
class _Panel:
    title: str
    lines: tuple[_Line, ...]


def chart_svg(result: Result, chart: Chart, name: str) -> str | None:
    """The chart for a page; None where no cell has both of its figures."""
    panels = _panels(result, chart)
    if not panels:
        return None
    x, y = _column(result, chart.x), _column(result, chart.y)

    def draw(figure: Figure) -> None:
        # The legend keeps its own line, however many panels there are.
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axis, panel in zip(axes, panels, strict=True):
            _draw(axis, panel, chart)
            axis.set_xlabel(_x_label(result, chart))
            if panel.title:
                axis.set_title(panel.title)
        axes[0].set_ylabel(_label(y))
        _legend(figure, panels, chart.kind == "line")

    count = sum(len(line.xs) for panel in panels for line in panel.lines)
    words = f"{chart.title}: {_label(y)} over {_label(x)}, {count} points"
    names = list(dict.fromkeys(line.own for line in panels[0].lines if line.own))
    label = f"{words} of {', '.join(names)}" if names else words
    return plot(draw, WIDE if len(panels) > 1 else NARROW, HEIGHT, name, label)


def _panels(result: Result, chart: Chart) -> list[_Panel]:
    """One, or one for each value of the variable PANELS."""
    values: Sequence[Any] = result.variables.get(PANELS, ())
    if len(values) < 2 or PANELS in (chart.x, chart.series):
        made = [_Panel("", _lines(result, chart, result.measured))]
    else:
        made = [
            _Panel(str(each), _lines(result, chart, [c for c in result.measured if c.value(PANELS) == each]))
            for each in values
        ]
    return [panel for panel in made if panel.lines]


def _lines(result: Result, chart: Chart, cells: Sequence[CellResult]) -> tuple[_Line, ...]:
    """By series, and within it by whatever else varies."""
    others = [
        name
        for name, values in result.variables.items()
        if len(values) > 1 and name not in (chart.x, chart.series, PANELS)
    ]
    series = list(dict.fromkeys(_series(chart, cell) for cell in result.measured))
    rests = list(dict.fromkeys(_rest(cell, others) for cell in result.measured))
    grouped: dict[tuple[str, str], list[CellResult]] = {}
    for cell in cells:
        grouped.setdefault((_series(chart, cell), _rest(cell, others)), []).append(cell)
    lines: list[_Line] = []
    for (own, rest), found in grouped.items():
        first, second = series.index(own), rests.index(rest)
        mark = MARKS[(first if len(rests) == 1 else second) % len(MARKS)]
        look = (COLOURS[first % len(COLOURS)], mark, DASHES[second % len(DASHES)])
        for points in _points(result, chart, found):
            if points:
                xs, ys = zip(*points, strict=True)
                lines.append(_Line(own, rest, *look, xs, ys))
    return tuple(lines)


def _series(chart: Chart, cell: CellResult) -> str:
    return "" if chart.series is None else str(cell.value(chart.series))


def _rest(cell: CellResult, others: Sequence[str]) -> str:
    return ", ".join(str(cell.value(name)) for name in others)


def _points(result: Result, chart: Chart, cells: Sequence[CellResult]) -> list[list[tuple[Any, float]]]:
    """One list for all cells, or one for each cell where the figure is a curve."""
    scale = 100.0 if _column(result, chart.y).unit == "%" else 1.0
    x_scale = 100.0 if _column(result, chart.x).unit == "%" else 1.0
    curves = [cell for cell in cells if chart.y in cell.curves]
    if curves:
        return [_curve(cell, chart, scale) for cell in curves]
    points: list[tuple[Any, float]] = []
    for cell in cells:
        x, y = cell.value(chart.x), number(cell.value(chart.y))
        real = number(x)
        if y is None or x is None or (chart.log_x and (real is None or real <= 0)):
            continue
        points.append((str(x) if real is None else x_scale * real, scale * y))
    if all(isinstance(x, float) for x, _ in points):
        points.sort()
    else:
        points = [(str(x), y) for x, y in points]
    return [points]


def _curve(cell: CellResult, chart: Chart, scale: float) -> list[tuple[Any, float]]:
    ys = [number(value) for value in cell.curves[chart.y]]
    xs = cell.curves.get(chart.x) or range(1, len(ys) + 1)
    pairs = zip((number(x) for x in xs), ys, strict=False)
    return [
        (x, scale * y) for x, y in pairs if x is not None and y is not None and (x > 0 or not chart.log_x)
    ]


def _draw(axis: Axes, panel: _Panel, chart: Chart) -> None:
    if chart.kind == "bars":
        _bars(axis, panel)
        return
    for line in panel.lines:
        joined = chart.kind == "line"
        axis.plot(
            line.xs,
            line.ys,
            color=line.colour,
            marker=line.mark if len(line.xs) <= 60 else None,
            linestyle=line.dash if joined else "none",
            ms=6.5 if joined else 8.5,
            markeredgecolor=GROUND,
            markeredgewidth=0.6,
        )
    if chart.log_x:
        _log(axis, [x for line in panel.lines for x in line.xs])
    _grouped(axis)
    axis.margins(0.06)
    if all(y >= 0 for line in panel.lines for y in line.ys) and chart.kind == "line":
        axis.set_ylim(bottom=0)


def _log(axis: Axes, xs: Sequence[float]) -> None:
    """Powers of ten would hide the values that were asked for, so those are the ticks where they are few."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_xscale("log")
    few = sorted(set(xs))
    if len(few) <= 8:
        axis.set_xticks(few, minor=False)
        axis.set_xticks([], minor=True)
    else:
        axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axis.xaxis.set_minor_formatter(NullFormatter())


def _bars(axis: Axes, panel: _Panel) -> None:
    """Groups along x, a bar for each line; its number on top."""
    names = list(dict.fromkeys(_tick(x) for line in panel.lines for x in line.xs))
    width = 0.8 / len(panel.lines)
    for at, line in enumerate(panel.lines):
        places = [names.index(_tick(x)) + (at - (len(panel.lines) - 1) / 2) * width for x in line.xs]
        bars = axis.bar(places, line.ys, width * 0.92, color=line.colour)
        axis.bar_label(bars, fmt=_short, fontsize=8.5, padding=2)
    axis.set_xticks(range(len(names)), names)
    axis.grid(False, axis="x")
    axis.margins(y=0.12)
    _grouped(axis)


def _grouped(axis: Axes) -> None:
    """Thousands apart instead of a power of ten in the corner."""
    from matplotlib.ticker import FuncFormatter

    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    """Whole from 1,000 on: a power of ten on a bar is no figure."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return text.replace(",", "\u202f")


def _tick(x: Any) -> str:
    return f"{x:g}" if isinstance(x, float) else str(x)


def _legend(figure: Figure, panels: Sequence[_Panel], joined: bool) -> None:
    """Colours for the series, and marks for the rest where there is more than one of it."""
    from matplotlib.lines import Line2D

    lines = [line for panel in panels for line in panel.lines]
    several = len({line.rest for line in lines}) > 1
    colours: dict[str, dict[str, Any]] = {}
    marks: dict[str, dict[str, Any]] = {}
    for line in lines:
        mark = {"marker": line.mark, "linestyle": line.dash if joined else "none"}
        colours[line.own] = {"color": line.colour} | ({"linewidth": 5} if several else mark)
        marks[line.rest] = {"color": QUIET} | mark
    looks = [*colours.items(), *(marks.items() if several else ())]
    handles = [
        Line2D([], [], ms=6, label=fmt.cropped(label, LEGEND), **look)
        for label, look in islice(looks, 24)
        if label
    ]
    if handles:
        longest = max(len(str(handle.get_label())) for handle in handles)
        room = (WIDE_LETTERS if len(panels) > 1 else NARROW_LETTERS) // (longest + 7)
        figure.legend(
            handles=handles, loc="outside upper left", ncols=max(1, min(5, room)), columnspacing=1.4
        )


def _column(result: Result, key: str) -> Column:
    known = next((column for column in result.columns if column.key == key), None)
    return known or Column(key, key.replace("_", " "))


def _x_label(result: Result, chart: Chart) -> str:
    """Nothing below bars whose names say it; a curve without values of its own for x is numbered."""
    column = _column(result, chart.x)
    if chart.kind == "bars" and column.key == column.title:
        return ""
    cells = [cell for cell in result.measured if chart.y in cell.curves]
    numbered = any(chart.x not in cell.curves for cell in cells)
    return f"{_label(column)}, counted from 1" if numbered else _label(column)


def _label(column: Column) -> str:
    return f"{column.title}, {column.unit}" if column.unit else column.title
