"""Two summaries, figure by figure: which became worse than its threshold allows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hil.errors import UsageError
from hil.report.figures import GROUPS, Figure, Summary, figures, issues, sound
from hil.report.thresholds import Better, Rule, Thresholds

ROUNDING: Final = 1e-9
"""Sums of floats in another order are no change."""

CONDITIONS: Final = ("scheme", "dataset", "board", "radio", "samples", "seed", "deadline_ms", "clock_hz")
"""What two runs should have in common."""


class Verdict(StrEnum):
    """What became of a figure."""

    SAME = "same"
    WITHIN = "within"
    BETTER = "better"
    WORSE = "worse"
    MISSING = "missing"
    """The baseline has it, the other run has not, and it is required."""
    SHOWN = "shown"
    """No direction is progress."""
    WALL_CLOCK = "wall clock"
    """It contains time of the host's clock, and is shown only."""
    GONE = "gone"
    NEW = "new"
    UNKNOWN = "unknown"
    """Neither run has it."""


REGRESSIONS: Final = frozenset({Verdict.WORSE, Verdict.MISSING})
JUDGED: Final = frozenset({Verdict.SAME, Verdict.WITHIN, Verdict.BETTER, Verdict.WORSE, Verdict.MISSING})


@dataclass(frozen=True)
class Delta:
    """One figure in both runs; the baseline is `a`."""

    a: Figure
    b: Figure
    rule: Rule
    verdict: Verdict

    @property
    def change(self) -> float | None:
        if self.a.value is None or self.b.value is None:
            return None
        return self.b.value - self.a.value

    @property
    def relative(self) -> float | None:
        """The change as a share of the baseline; None where that is zero."""
        return None if self.change is None or not self.a.value else self.change / abs(self.a.value)

    @property
    def judged(self) -> bool:
        return self.verdict in JUDGED and self.rule.better is not Better.NONE

    @property
    def allowed(self) -> float | None:
        """How much worse it may be; None where nothing is judged."""
        return self.rule.allowance(self.a.value) if self.judged and self.a.value is not None else None


@dataclass(frozen=True)
class Remark:
    """Something to know when reading the comparison."""

    code: str
    message: str


@dataclass(frozen=True)
class Comparison:
    """Every figure of the chosen groups, and what to know about them."""

    deltas: tuple[Delta, ...]
    remarks: tuple[Remark, ...]

    @property
    def regressions(self) -> tuple[Delta, ...]:
        return tuple(delta for delta in self.deltas if delta.verdict in REGRESSIONS)


def compare(
    a: Summary,
    b: Summary,
    thresholds: Thresholds,
    groups: Collection[str] = GROUPS,
    across_sources: bool = False,
) -> Comparison:
    """`b` against the baseline `a`. Figures of different sources are refused unless `across_sources`."""
    deltas = tuple(
        _delta(one, other, thresholds.rule(one.key))
        for one, other in _pairs(figures(a), figures(b))
        if one.group in groups
    )
    mixed = [delta for delta in deltas if delta.change is not None and delta.a.sources != delta.b.sources]
    if mixed and not across_sources:
        raise _refusal(mixed)
    return Comparison(deltas, (*_conditions(a, b), *_soundness(a, b), *_clocks(deltas), *_sources(mixed)))


def judge(a: Figure, b: Figure, rule: Rule) -> Verdict:
    """What became of one figure."""
    if a.value is None or b.value is None:
        if a.value is not None:
            return Verdict.MISSING if rule.required else Verdict.GONE
        return Verdict.UNKNOWN if b.value is None else Verdict.NEW
    if (a.wall_clock or b.wall_clock) and not rule.wall_clock:
        return Verdict.WALL_CLOCK
    change = b.value - a.value
    if abs(change) <= ROUNDING * max(abs(a.value), abs(b.value)):
        return Verdict.SAME
    if rule.better is Better.NONE:
        return Verdict.SHOWN
    if abs(change) <= rule.allowance(a.value) * (1 + ROUNDING):
        return Verdict.WITHIN
    progress = Better.HIGHER if change > 0 else Better.LOWER
    return Verdict.BETTER if rule.better is progress else Verdict.WORSE


def _delta(a: Figure, b: Figure, rule: Rule) -> Delta:
    return Delta(a, b, rule, judge(a, b, rule))


def _pairs(a: Mapping[str, Figure], b: Mapping[str, Figure]) -> list[tuple[Figure, Figure]]:
    """Figures by key in the baseline's order, those of `b` alone at the end of their group."""
    keys = [*a, *(key for key in b if key not in a)]
    pairs = [(a.get(key) or _absent(b[key]), b.get(key) or _absent(a[key])) for key in keys]
    return sorted(pairs, key=lambda pair: GROUPS.index(pair[0].group))


def _absent(figure: Figure) -> Figure:
    return Figure(figure.key, figure.group, figure.label, figure.unit, None)


def _refusal(mixed: list[Delta]) -> UsageError:
    """One line for each pair of sources, with the first figure that has it."""
    first: dict[tuple[str, str], str] = {}
    for delta in mixed:
        first.setdefault(source_texts(delta), delta.a.key)
    named = "; ".join(f"{key} is {a} against {b}" for (a, b), key in first.items())
    return UsageError(
        f"{len(mixed)} figures have different sources: {named}",
        "--across-sources compares them all the same, --only GROUPS leaves them out, "
        "and --server-ms in both runs takes the host's clock out of the latency",
    )


def source_texts(delta: Delta) -> tuple[str, str]:
    """Both sources as text."""
    a, b = (" + ".join(figure.sources) or "counted" for figure in (delta.a, delta.b))
    return a, b


def _conditions(a: Summary, b: Summary) -> list[Remark]:
    found = [
        Remark(f"other-{key.replace('_', '-')}", f"different {key}: {a.get(key)} against {b.get(key)}")
        for key in CONDITIONS
        if a.get(key) != b.get(key)
    ]
    bundles = [_bundle(summary) for summary in (a, b)]
    if None not in bundles and bundles[0] != bundles[1]:
        found.append(Remark("other-bundle", f"different weights: bundle {bundles[0]} against {bundles[1]}"))
    return found


def _bundle(summary: Summary) -> str | None:
    """The beginning of the bundle's hash."""
    found: Any = summary.get("provenance")
    for key in ("bundle", "sha256"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found[:12] if isinstance(found, str) else None


def _soundness(a: Summary, b: Summary) -> list[Remark]:
    found = []
    for name, summary in (("the baseline", a), ("the other run", b)):
        if summary.get("partial"):
            found.append(Remark("partial", f"{name} ended early, after {summary.get('samples')} samples"))
        if not sound(summary):
            messages = [str(issue.get("message")) for issue in issues(summary)]
            found.append(Remark("invalid", f"{name} is not valid: {'; '.join(messages) or 'see its issues'}"))
    return found


def _clocks(deltas: Collection[Delta]) -> list[Remark]:
    """Why latency is not judged, where the server was not given a fixed time."""
    if not any(delta.verdict is Verdict.WALL_CLOCK and delta.a.group != "speed" for delta in deltas):
        return []
    what = "latency, device cycles and energy contain the server's time by the host's clock"
    text = f"{what}, and are not judged; hil run --server-ms gives figures that repeat"
    return [Remark("wall-clock", text)]


def _sources(mixed: Collection[Delta]) -> list[Remark]:
    if not mixed:
        return []
    return [Remark("across-sources", f"{len(mixed)} figures are compared although their sources differ")]
