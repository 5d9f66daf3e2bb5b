"""The report of a soak: a page that needs nothing else, Markdown, and lines as it goes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

import hil
from hil.faults.outcome import NEVER, Outcome
from hil.measure.source import Source
from hil.report import glyphs as g
from hil.report.html import page
from hil.report.markdown import escaped, row
from hil.report.run_head import Verdict
from hil.report.run_page import Drawing, command_of, provenance
from hil.report.svg_figure import plot
from hil.soak.result import Round, Soak
from hil.soak.trend import Trend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ENDS: Final = (*(end for end in Outcome if end not in NEVER), *(end for end in Outcome if end in NEVER))
_MIB: Final = 1 << 20


def line(one: Round, soak: Soak) -> str:
    """What is said of a run as soon as it ended."""
    share = soak.done_s / (3600 * soak.hours)
    hit = sum(sum(ends.values()) for ends in one.injected.values())
    word = f"; {'; '.join(one.strange)}" if one.strange else f"; {one.ended}" if one.ended else ""
    return (
        f"{share:4.0%} run {one.number}: {one.scheme}, {one.radio}, {' '.join(one.inject)}: {hit} faults in "
        f"{one.samples} samples, {_mib(one.rss_bytes)}, {one.handles or g.DASH} handles{word}"
    )


def soak_markdown(soak: Soak) -> str:
    """Verdict, figures, and how the samples ended that faults hit."""
    verdict = _verdict(soak)
    lines = [f"# Soak: {verdict.word}", "", *(f"- {escaped(reason)}" for reason in soak.reasons)]
    lines += ["", row(("", "", "source")), row(("---", "---:", "---"))]
    lines += [row((escaped(name), escaped(value), source)) for name, value, source in _facts(soak)]
    lines += ["", row(("fault", "injected", *map(str, _ENDS))), row(("---", *("---:",) * (len(_ENDS) + 1)))]
    lines += [row((kind, *map(str, counts))) for kind, counts in _kinds(soak)]
    return "\n".join([*lines, ""])


def soak_page(soak: Soak) -> str:
    """One HTML file."""
    drawings = [
        Drawing(Markup(svg), caption, (str(Source.MEASURED_HOST),))
        for svg, caption in (
            (_drawn(soak, "rss_bytes", _MIB, "MiB"), "Resident memory after each run."),
            (_drawn(soak, "handles", 1, "handles"), "Open file handles after each run."),
        )
        if svg
    ]
    return page(
        "soak.html",
        verdict=_verdict(soak),
        reasons=soak.reasons,
        facts=_facts(soak),
        ends=list(map(str, _ENDS)),
        kinds=_kinds(soak),
        rounds=[_row(one) for one in soak.rounds],
        drawings=drawings,
        provenance=provenance(soak.provenance),
        command=command_of(soak.provenance),
        sections=[("figures", "Figures"), ("faults", "Faults"), ("held", "Memory and handles"),
                  ("runs", "Runs"), ("provenance", "Provenance"), ("origins", "Origins")],
        used_origins=[soak.board_source, str(Source.MEASURED_HOST)],
        version=hil.__version__,
    )  # fmt: skip


def _verdict(soak: Soak) -> Verdict:
    if soak.reasons:
        return Verdict("bad", g.WRONG, "Not sound.", f"{len(soak.reasons)} reasons are below.", ())
    return Verdict("good", g.DONE, "Sound.", "Nothing hung, leaked, or was silently wrong.", ())


def _facts(soak: Soak) -> list[tuple[str, str, str]]:
    """What, its value, and its origin."""
    host, counted = str(Source.MEASURED_HOST), "counted"
    hit = sum(soak.outcomes.values(), Counter[str]())
    return [
        ("the board\u2019s hours", f"{soak.board_s / 3600:.2f} of {soak.hours:g}", soak.board_source),
        ("wall clock", f"{soak.wall_s:.0f} s", host),
        ("runs", str(len(soak.rounds)), counted),
        ("samples", str(sum(one.samples for one in soak.rounds)), counted),
        ("faults that took place", str(hit.total()), counted),
        ("kinds of them", str(len(soak.outcomes)), counted),
        ("hung, late or silently wrong", str(sum(hit[end] for end in NEVER)), counted),
        ("memory", _grew(soak.memory, _MIB, " MiB"), host),
        ("file handles", _grew(soak.handles, 1, ""), host),
    ]


def _grew(seen: Trend | None, unit: int, name: str) -> str:
    """`name` is that of the unit, with a space before it; empty where things are counted."""
    if seen is None:
        return "too few runs to tell"
    first, last, growth, bound = (
        f"{round(value / unit, 1):g}" for value in (seen.first, seen.last, seen.growth, seen.bound)
    )
    return f"{first} to {last}{name}, trend {growth}{name} over the soak, allowed {bound}{name}"


def _kinds(soak: Soak) -> list[tuple[str, list[int]]]:
    return [(kind, [ends.total(), *(ends[end] for end in _ENDS)]) for kind, ends in soak.outcomes.items()]


def _row(one: Round) -> dict[str, Any]:
    return {
        "number": one.number,
        "scheme": one.scheme,
        "radio": one.radio,
        "inject": " ".join(one.inject),
        "samples": one.samples,
        "board": f"{one.board_s:.1f}",
        "wall": f"{one.wall_s:.1f}",
        "rss": _mib(one.rss_bytes),
        "handles": one.handles if one.handles is not None else g.DASH,
        "word": "; ".join(one.strange) or one.ended,
    }


def _mib(count: int | None) -> str:
    return g.DASH if count is None else f"{count / _MIB:.1f} MiB"


def _drawn(soak: Soak, name: str, unit: int, label: str) -> str:
    """Empty where nothing was sampled."""
    points = [(one.number, getattr(one, name)) for one in soak.rounds if getattr(one, name) is not None]
    if not points:
        return ""

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        axis.plot([at for at, _ in points], [value / unit for _, value in points], marker=".", color="C0")
        axis.set_xlabel("run")
        axis.set_ylabel(label)
        axis.set_ylim(0, 1.15 * max(1, *(value / unit for _, value in points)))
        axis.locator_params(axis="x", integer=True)

    return plot(draw, 7.0, 2.2, f"soak-{name.replace('_', '-')}", f"{label} after each run")
