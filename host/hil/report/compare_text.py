"""A comparison as rows of text, for whatever kind of table shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from hil.report import format as fmt
from hil.report.compare import Comparison, Delta, Verdict
from hil.report.figures import LAYERS, Unit
from hil.report.glyphs import ARROW, DASH

HEAD: Final = ("figure", "baseline", "new", "change", "", "allowed")
NEXT_TO_NOTHING: Final = "~0"


@dataclass(frozen=True)
class Row:
    """One figure, as text."""

    label: str
    a: str
    b: str
    change: str
    relative: str
    allowed: str
    verdict: Verdict

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.label, self.a, self.b, self.change, self.relative, self.allowed)


@dataclass(frozen=True)
class Section:
    """The figures of one group, and what they rest on."""

    group: str
    sources: str
    rows: tuple[Row, ...]


def sections(comparison: Comparison) -> Iterator[Section]:
    """By group; layers without a change are counted, not listed."""
    for group, found in groupby(comparison.deltas, lambda delta: delta.a.group):
        deltas = tuple(found)
        quiet = [delta for delta in deltas if _is_quiet(delta)]
        rows = [_row(delta) for delta in deltas if not _is_quiet(delta)]
        if quiet:
            rows.append(
                Row(f"  {len(quiet)} layer{'s' if len(quiet) > 1 else ''}", "", "", "", "", "", Verdict.SAME)
            )
        yield Section(group, _sources(deltas), tuple(rows))


def conclusion(comparison: Comparison) -> str:
    """The whole in one line."""
    judged = sum(delta.judged for delta in comparison.deltas)
    worse = comparison.regressions
    if not worse:
        return f"no regression in {judged} figures judged"
    names = ", ".join(delta.a.key for delta in worse)
    plural = "" if len(worse) == 1 else "s"
    return f"{len(worse)} regression{plural} in {judged} figures judged: {names}"


def _is_quiet(delta: Delta) -> bool:
    return delta.verdict is Verdict.SAME and delta.a.key.startswith(f"{LAYERS}.")


def _sources(deltas: tuple[Delta, ...]) -> str:
    """Every source of the group; both sides where they differ."""
    a, b = (
        " + ".join(dict.fromkeys(source for figure in side for source in figure.sources))
        for side in ([delta.a for delta in deltas], [delta.b for delta in deltas])
    )
    return a if a == b or not b else b if not a else f"{a} {ARROW} {b}"


def _row(delta: Delta) -> Row:
    unit, change, relative, allowed = delta.a.unit, delta.change, delta.relative, delta.allowed
    numeric = unit is not Unit.FLAG
    return Row(
        delta.a.label,
        written(delta.a.value, unit),
        written(delta.b.value, unit),
        _signed(change, unit) if change and numeric else "",
        _percent(relative) if relative and numeric and unit is not Unit.SHARE else "",
        _difference(allowed, unit) if allowed and numeric else "",
        delta.verdict,
    )


def _signed(change: float, unit: Unit) -> str:
    text = _difference(abs(change), unit)
    return NEXT_TO_NOTHING if text == _difference(0.0, unit) else f"{'+' if change > 0 else '-'}{text}"


def _percent(relative: float) -> str:
    return f"{100 * relative:+.1f} %" if abs(relative) >= 0.0005 else ""


def _difference(value: float, unit: Unit) -> str:
    """Of shares in points: a per cent of a per cent misleads."""
    return f"{100 * value:.1f} pp" if unit is Unit.SHARE else written(value, unit)


def written(value: float | None, unit: Unit) -> str:
    """A figure in its unit; one that is not known is a dash."""
    if value is None:
        return DASH
    match unit:
        case Unit.FLAG:
            return "yes" if value else "no"
        case Unit.SHARE:
            return fmt.percent(value)
        case Unit.CYCLES:
            return _spaced(f"{value:,.0f}")
        case Unit.BYTES:
            return _spaced(f"{value:,.1f}".removesuffix(".0")) + " B"
        case Unit.COUNT:
            return fmt.figure(value)
        case Unit.MS | Unit.MJ:
            return f"{fmt.figure(value)} {unit}"


def _spaced(number: str) -> str:
    return number.replace(",", " ")
