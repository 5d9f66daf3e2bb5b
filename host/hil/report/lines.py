"""The lines inside the dashboard's panels: pure functions of the state and a width."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.text import Text

from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report import statistics as stats
from hil.report.bars import fill_of, gauge, stacked
from hil.report.sparkline import sparkline
from hil.report.state import Dashboard, Stage
from hil.session.events import SampleRecord

_OUTCOME_STYLE = {"fallback": g.ORANGE, "failed": g.VERMILLION}


def line(*parts: tuple[str, str] | str | Text) -> Text:
    """One line that is cropped rather than wrapped."""
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def header(state: Dashboard, width: int) -> Text:
    """Who runs what on what, and the name of the run at the right edge."""
    run = state.run
    if run is None:
        return line(("hil", "bold"), (f" {g.DOT} preparing", g.GREY))
    what = f"{run.scheme} on {run.dataset} {g.DOT} {run.board} {g.DOT} {run.radio}"
    left = line(("hil", "bold"), f" {g.DOT} {what}")
    gap = width - left.cell_len - len(run.name)
    return left.append(" " * gap + run.name, style=g.GREY) if gap > 1 else left


def stage_mark(stage: Stage, now_s: float) -> Text:
    if stage.seconds is not None:
        return Text(g.DONE, style=g.GREEN)
    return Text(g.SPINNER[int(now_s * 8) % len(g.SPINNER)], style=g.ORANGE)


def stages_in_one_line(state: Dashboard, now_s: float) -> Text:
    """The stages behind us, with their times."""
    text = line()
    for stage in state.stages:
        note = "cached" if stage.cached else fmt.duration(stage.seconds) if stage.seconds is not None else ""
        text.append_text(stage_mark(stage, now_s)).append(f" {stage.name} ").append(
            f"{note}   ", style=g.GREY
        )
    return text


def stage_line(stage: Stage, width: int, now_s: float) -> Text:
    """One stage with its bar, for the time before the samples."""
    text = line(stage_mark(stage, now_s), f" {stage.name:<8}")
    if stage.seconds is not None:
        note = "from the cache" if stage.cached else fmt.duration(stage.seconds)
        return text.append(f"{note:<15}", style=g.GREY).append(stage.detail)
    bar_width = max(4, min(30, width // 3))
    if stage.total > 0:
        text.append_text(gauge(stage.done / stage.total, bar_width, g.ORANGE))
        text.append(f" {stage.done}/{stage.total} ")
    else:
        text.append(f"{fmt.duration(now_s - stage.began_s):<15}", style=g.GREY)
    return text.append(stage.detail)


def progress(state: Dashboard, width: int, now_s: float) -> list[Text]:
    """How far the run is, and how right."""
    total = state.run.samples if state.run else 0
    tally = state.tally
    rate = stats.rate_per_s(state, now_s)
    left = "done" if state.finished else f"{fmt.clock(stats.eta_s(state, now_s))} left"
    note = f" {tally.samples}/{total}  {fmt.number(rate, 1)}/s  {left}"
    bar = gauge(stats.ratio(tally.samples, total) or 0.0, max(1, width - len(note)), g.GREEN)
    accuracy = fmt.percent(stats.ratio(tally.correct, tally.samples))
    as_float = fmt.percent(stats.ratio(tally.float_correct, tally.float_known))
    as_host = fmt.percent(stats.ratio(tally.reference_equal, tally.reference_known), 0)
    return [
        line(bar, note),
        line("accuracy ", (accuracy, "bold"), f"   float {as_float}   as on host {as_host}"),
    ]


def latency(state: Dashboard, width: int) -> list[Text]:
    """The split of the end-to-end time, its bar, and its course over the samples."""
    spreads = stats.latency_spreads(state)
    rows = [line((f"  {'':<7}{'mean':>8}{'p50':>8}{'p95':>8}", g.GREY))]
    for i, name in enumerate(("total", *stats.LATENCY_PARTS)):
        at = spreads.get(name)
        texts = (fmt.figure(value) for value in ((at.mean, at.p50, at.p95) if at else (None,) * 3))
        mark = Text(" ") if name == "total" else fill_of(i - 1, name)
        figures = "".join(f"{text:>8}" for text in texts)
        rows.append(line(mark, (f" {name:<7}{figures}", "bold" if name == "total" else "")))
    rows.append(stacked(_means(spreads, stats.LATENCY_PARTS), width))
    totals = [record.latency_ms.total for record in state.recent if record.latency_ms is not None]
    return [*rows, Text(sparkline(totals, width), style=g.SKY)]


_SHORT: Final = {"peripherals": "periph"}


def energy(state: Dashboard, width: int) -> list[Text]:
    """The split of the device's energy, where anything measured or modelled it."""
    spreads = stats.energy_spreads(state)
    if not spreads:
        return [line(("neither measured nor modelled", g.GREY))]
    whole = spreads["total"].mean
    rows = [line((f"  {'':<7}{'mean':>8}{'p95':>8}{'share':>9}", g.GREY))]
    for i, name in enumerate(("total", *stats.ENERGY_PARTS)):
        at = spreads[name]
        mark = Text(" ") if name == "total" else fill_of(i - 1, name)
        share = fmt.percent(at.mean / whole if whole else None, 0)
        figures = f"{fmt.figure(at.mean):>8}{fmt.figure(at.p95):>8}{share:>9}"
        label = _SHORT.get(name, name)
        rows.append(line(mark, (f" {label:<7}{figures}", "bold" if name == "total" else "")))
    rows.append(stacked(_means(spreads, stats.ENERGY_PARTS), width))
    totals = [record.energy_mj.total for record in state.recent if record.energy_mj is not None]
    return [*rows, Text(sparkline(totals, width), style=g.SKY)]


def _means(spreads: Mapping[str, stats.Spread], names: tuple[str, ...]) -> dict[str, float]:
    return {name: spreads[name].mean for name in names if name in spreads}


def device(state: Dashboard, width: int) -> list[Text]:
    """What the firmware takes of the board, and what crossed the link."""
    tally, run = state.tally, state.run
    rows: list[Text] = []
    if run is not None:
        memory = run.memory
        ram = memory.ram_static_bytes + memory.arena_bytes + memory.stack_bytes
        rows += [
            memory_line("flash", memory.flash_bytes, memory.flash_limit, width),
            memory_line("ram", ram, memory.ram_limit, width),
        ]
    wire, radio = tally.wire_retransmissions, tally.radio_retransmissions
    troubles = f"fallbacks {tally.fallbacks}   failures {tally.failures}"
    rows += [
        line(_payload(state)),
        *([line(f"answered from a prefix: {tally.prefixes}")] if tally.prefixes else []),
        line(f"sent again: wire {wire}, radio {radio}"),
        line((troubles, g.ORANGE if tally.fallbacks or tally.failures else "")),
    ]
    if state.faults:
        rows.append(line(f"injected: {', '.join(f'{kind} {count}' for kind, count in state.faults)}"))
    if run is not None and tally.stack_peak_bytes:
        rows.append(
            line(f"stack {fmt.size(tally.stack_peak_bytes)} of {fmt.size(run.memory.stack_bytes)} reserved")
        )
    return rows


def _payload(state: Dashboard) -> str:
    """The mean size of what was sent, against what it was before its codec."""
    mean = stats.ratio(state.tally.payload_bytes, state.tally.sent)
    if state.run is None:
        return f"payload {fmt.size(mean)}"
    if not (raw := state.run.payload_raw_bytes):
        return f"payload {g.DASH} nothing is sent"
    share = fmt.percent(mean / raw if mean is not None else None, 0)
    return f"payload {fmt.size(mean)} of {fmt.size(raw)} raw ({share})"


def memory_line(name: str, used: int, limit: int, width: int) -> Text:
    """A bar of what is used; it changes colour where little is left."""
    share = used / limit if limit else 0.0
    note = f" {fmt.size(used):>6} of {fmt.size(limit)}"
    style = g.VERMILLION if share > 0.9 else g.SKY
    return line(f"{name:<6}", gauge(share, max(1, width - 6 - len(note)), style), note)


def predictions(state: Dashboard, rows: int) -> list[Text]:
    """The latest samples, newest first."""
    return [prediction(record) for record in reversed(state.recent[-rows:])] if rows > 0 else []


def prediction(record: SampleRecord) -> Text:
    shown = g.DASH if record.prediction is None else str(record.prediction)
    mark = (g.DONE, g.GREEN) if record.correct else (g.WRONG, g.VERMILLION)
    total = record.latency_ms.total if record.latency_ms else None
    outcome = (f"{record.outcome:<9}", _OUTCOME_STYLE.get(record.outcome, g.GREY))
    tail = f"{fmt.figure(total):>7} ms"
    return line(f"{record.index + 1:>5} {record.label:>3} {g.ARROW} {shown:<3} ", mark, " ", outcome, tail)


def warning(state: Dashboard) -> list[Text]:
    """The latest warning, and how many came before it."""
    if not state.warnings:
        return []
    latest = state.warnings[-1]
    earlier = f" (and {len(state.warnings) - 1} more)" if len(state.warnings) > 1 else ""
    return [line((f"{g.WARNING} {latest.message}{earlier}", g.ORANGE))]
