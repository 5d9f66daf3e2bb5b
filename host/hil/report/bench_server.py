"""`hil bench server`'s report as tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from hil.bench.server import MemoryRun, Point, ServerReport

_HEAD = (
    "devices", "offered /s", "answered /s", "of bare", "of its CPU", "p50 ms", "p99 ms", "server ms", "batch",
    "answered", "busy", "memory MB",
)  # fmt: skip


def server_table(report: ServerReport) -> Table:
    """For a terminal."""
    table = Table(title=_title(report), caption=_notes(report), title_justify="left", caption_justify="left")
    for name in _HEAD:
        table.add_column(name, justify="right")
    for row in _rows(report):
        table.add_row(*row)
    return table


def server_markdown(report: ServerReport) -> str:
    """For a page."""
    lines = [f"| {' | '.join(_HEAD)} |", "|" + "---:|" * len(_HEAD)]
    lines += [f"| {' | '.join(row)} |" for row in _rows(report)]
    return "\n".join([_title(report) + "\n", *lines, "", _notes(report)]) + "\n"


def _title(report: ServerReport) -> str:
    return (
        f"{report.scheme} on {report.dataset}, payload {report.payload_bytes_mean:.0f} bytes, "
        f"batches of up to {report.settings.batch_max}"
    )


def _rows(report: ServerReport) -> list[Sequence[str]]:
    return [_row(point) for point in (report.saturation, *report.points)]


def _row(point: Point) -> Sequence[str]:
    offered = "as answered" if point.offered_per_s is None else f"{point.offered_per_s:.0f}"
    return (
        str(point.devices), offered, f"{point.throughput_per_s:.0f}", f"{point.share_of_bare:.0%}",
        _share(point.cpu_share_of_bare),
        _number(point.p50_ms), _number(point.p99_ms), _number(point.server_ms), _number(point.batch_mean),
        f"{point.answered:.1%}", f"{point.busy:.1%}", _number(point.memory_mb),
    )  # fmt: skip


def _notes(report: ServerReport) -> str:
    bare = report.bare
    lines = [
        f"Bare forward pass, batches of {report.settings.batch_max}: {bare.forward_per_s:.0f}/s, "
        f"{bare.forward_cpu_ms:.3f} ms of CPU each; with decoding before it: {bare.decoded_per_s:.0f}/s."
    ]
    if report.memory is not None:
        lines.append(_memory(report.memory))
    return "\n".join(lines)


def _memory(run: MemoryRun) -> str:
    if not run.megabytes:
        return "This system does not tell a process's memory."
    slope = run.slope_kb_per_minute
    return (
        f"Memory at {run.rate_per_s:.0f} requests/s over {run.seconds[-1] / 60:.1f} minutes, "
        f"{run.answered} answered: "
        f"{run.megabytes[0]:.1f} MB, {run.megabytes[len(run.megabytes) // 2]:.1f} half-way, "
        f"{run.megabytes[-1]:.1f} at the end"
        + ("." if slope is None else f"; {slope:+.0f} kB a minute in the second half.")
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
