"""The table at the end of a run: every figure with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.frame import new_table

Summary = Mapping[str, Any]
Row = tuple[str, str, str]
"""Name, figure, source."""


def rows(summary: Summary) -> list[Row]:
    """What the table lists; a figure the summary lacks, or holds as null, is a dash."""
    return [
        *_accuracy(summary),
        *_latency(_part(summary, "latency_ms")),
        *_energy(_part(summary, "energy_mj")),
        *_cycles(_part(summary, "cycles")),
        *_payload(summary),
        *_memory(_part(summary, "memory")),
        _retransmissions(summary),
        ("fallbacks", _count(summary.get("fallbacks")), ""),
        *([("exits", _count(exits), "")] if (exits := summary.get("exits")) else []),
        *_authentication(_part(summary, "authentication")),
        *_faults(_part(summary, "faults")),
    ]


def _part(summary: Summary, key: str) -> Summary:
    value = summary.get(key)
    return value if isinstance(value, Mapping) else {}


def _count(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return g.DASH if value is None else f"{value:,.0f}".replace(",", " ")


def _origin(part: Summary, *names: str) -> str:
    """A source is one label for the whole part, or one for each of its figures."""
    source = part.get("sources") or part.get("source")
    if isinstance(source, Mapping):
        named = [source[name] for name in names if source.get(name)] or list(source.values())
        return " + ".join(dict.fromkeys(str(label) for label in named))
    return "" if source is None else str(source)


def _accuracy(summary: Summary) -> list[Row]:
    return [
        ("samples", _count(summary.get("samples")), ""),
        ("accuracy", fmt.percent(summary.get("accuracy")), ""),
        ("accuracy of the float model", fmt.percent(summary.get("float_accuracy")), ""),
        ("equal to the host reference", fmt.percent(summary.get("host_agreement")), ""),
    ]


def _latency(part: Summary) -> list[Row]:
    spread = " / ".join(fmt.figure(part.get(name)) for name in ("p50", "p95", "p99"))
    parts = ("local", "link", "remote", "fuse")
    return [
        ("latency", f"{fmt.figure(part.get('mean'))} ms", _origin(part)),
        ("  p50 / p95 / p99", f"{spread} ms", ""),
        *((f"  {name}", f"{fmt.figure(_mean(part.get(name)))} ms", _origin(part, name)) for name in parts),
        *_overlap(part),
        *_modelled(_part(part, "modelled")),
    ]


def _overlap(part: Summary) -> list[Row]:
    """Only where the exchange began before all was computed."""
    if not part.get("overlap"):
        return []
    hidden = f"{fmt.figure(part.get('overlap'))} ms of the link"
    return [("  hidden behind local", hidden, _origin(part, "overlap"))]


def _modelled(part: Summary) -> list[Row]:
    """Beside instructions: what they would take on the chip."""
    if _mean(part.get("mean")) is None:
        return []
    return [("  as modelled for the chip", f"{fmt.figure(part.get('mean'))} ms", _origin(part))]


def _energy(part: Summary) -> list[Row]:
    if _mean(part.get("mean")) is None:
        return [("energy", f"{g.DASH} neither measured nor modelled", "")]
    parts = [name for name in ("cpu", "radio", "idle", "peripherals") if part.get(name) is not None]
    shares = [(f"  {name}", f"{fmt.figure(_mean(part.get(name)))} mJ", _origin(part, name)) for name in parts]
    return [("energy", f"{fmt.figure(part.get('mean'))} mJ", _origin(part, "total", "mean")), *shares]


def _mean(value: Any) -> float | None:
    """A part is a mean, or a spread with one."""
    if isinstance(value, Mapping):
        value = value.get("mean")
    return None if value is None else float(value)


def _cycles(part: Summary) -> list[Row]:
    return [("device cycles", _count(part.get("device_total")), _origin(part))]


def _payload(summary: Summary) -> list[Row]:
    part = _part(summary, "payload_bytes")
    if not part:
        return []
    if part.get("raw") == 0:
        return [("payload", f"{g.DASH} nothing is sent", "")]
    sizes = " / ".join(fmt.size(part.get(name)) for name in ("mean", "p95", "raw"))
    return [("payload, mean / p95 / raw", sizes, ""), *_prefixes(_part(summary, "prefixes"))]


def _prefixes(part: Summary) -> list[Row]:
    """Only where there were any."""
    if not part.get("samples"):
        return []
    how = f"{fmt.figure(part.get('channels'))} channels, accuracy {fmt.percent(part.get('accuracy'))}"
    return [("  answered from a prefix", f"{_count(part.get('samples'))} ({how})", "")]


def _retransmissions(summary: Summary) -> Row:
    kinds = {kind: summary.get(f"{kind}_retransmissions") for kind in ("wire", "radio")}
    split = ", ".join(f"{kind} {count}" for kind, count in kinds.items() if count is not None)
    return ("retransmissions", _count(summary.get("retransmissions")) + (f" ({split})" if split else ""), "")


def _authentication(part: Summary) -> list[Row]:
    """Only where the device takes authentic replies alone."""
    if not part.get("replies"):
        return []
    cost = f"{_count(part.get('verify_cycles'))} cycles each"
    ignored = f", {_count(count)} ignored" if (count := part.get("unauthentic")) else ""
    return [("authentic replies", cost + ignored, _origin(part))]


def _faults(part: Summary) -> list[Row]:
    """Only where some were injected: how often, and how their samples ended."""
    injected, outcomes = _part(part, "injected"), _part(part, "outcomes")
    if not injected:
        return []
    kinds = [(f"  {kind}", _struck(count, _part(outcomes, kind)), "") for kind, count in injected.items()]
    return [("faults", _count(sum(injected.values())), ""), *kinds]


def _struck(count: Any, ends: Summary) -> str:
    return f"{_count(count)} ({_count(ends)})" if ends else _count(count)


def _memory(part: Summary) -> list[Row]:
    names = {
        "flash": "flash_bytes",
        "ram, static": "ram_static_bytes",
        "ram, arena": "arena_bytes",
        "stack, peak": "stack_peak_bytes",
    }
    return [(name, _count(part.get(key)) + " B", "") for name, key in names.items() if key in part]


def summary_table(summary: Summary) -> Table:
    """`rows` as a table."""
    title = (
        f"{summary.get('scheme')} on {summary.get('dataset')}, {summary.get('board')}, {summary.get('radio')}"
    )
    table = new_table(title)
    table.add_column("figure", no_wrap=True)
    table.add_column("value", no_wrap=True)
    table.add_column("source", style=g.GREY)
    for row in rows(summary):
        table.add_row(*(Text(cell) for cell in row))
    return table


def print_summary(console: Console, summary: Summary, folder: Path | None) -> None:
    """The table, what to know about it, and where the rest lies."""
    console.print(summary_table(summary))
    for issue in summary.get("issues") or ():
        hint = f" ({issue['hint']})" if issue.get("hint") else ""
        console.print(Text(f"{g.WARNING} {issue.get('message', issue.get('code'))}{hint}", style=g.ORANGE))
    if summary.get("valid") is False:
        console.print(Text("this run is not valid: see its issues", style=f"bold {g.VERMILLION}"))
    if folder is not None:
        console.print(Text(f"run folder: {folder}"), soft_wrap=True)
