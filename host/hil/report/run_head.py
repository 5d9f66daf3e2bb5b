"""The top of a run's page: what ran, whether its figures hold, and the figures one looks for first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.compare_text import written
from hil.report.fields import inner, number
from hil.report.figures import Figure, Unit, figures, issues, sound
from hil.report.html import spaced

COUNTED: Final = ("counted",)
ELF: Final = ("elf",)


@dataclass(frozen=True)
class Tile:
    """A headline figure."""

    name: str
    value: str
    unit: str
    rows: tuple[tuple[str, str], ...]
    origins: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """Whether the figures hold."""

    kind: str
    """good, bad or remark."""
    glyph: str
    word: str
    sentence: str
    issues: tuple[Mapping[str, Any], ...]


def title(summary: Mapping[str, Any]) -> str:
    """What ran on what."""
    return f"{_name(summary, 'scheme')} on {_name(summary, 'dataset')}"


def facts(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The settings in a line."""
    clock, deadline = number(summary.get("clock_hz")), number(summary.get("deadline_ms"))
    done, asked = number(summary.get("samples")), number(summary.get("samples_asked"))
    samples = spaced(done) if done == asked or asked is None else f"{spaced(done)} of {spaced(asked)}"
    injected = _faults(inner(summary, "faults"))
    return [
        ("board", _name(summary, "board")),
        ("clock", f"{g.DASH if clock is None else f'{clock / 1e6:g}'} MHz"),
        ("radio", _name(summary, "radio")),
        ("samples", samples),
        ("deadline", f"{g.DASH if deadline is None else f'{deadline:g}'} ms"),
        ("seed", _name(summary, "seed")),
        ("at", str(inner(summary, "provenance").get("time_utc") or g.DASH)),
        *([("injected", injected)] if injected else []),
    ]


def _faults(faults: Mapping[str, Any]) -> str:
    """Each kind with how often it took place and how those samples ended."""
    outcomes = inner(faults, "outcomes")
    texts = []
    for kind, count in inner(faults, "injected").items():
        ends = ", ".join(f"{number} {end}" for end, number in inner(outcomes, kind).items())
        texts.append(f"{kind} {count}{f' ({ends})' if ends else ''}")
    return "; ".join(texts)


def verdict(summary: Mapping[str, Any]) -> Verdict:
    """Valid, valid with remarks, ended early, or not valid."""
    found = tuple(
        {name: str(issue.get(name) or "") for name in ("code", "message", "hint")}
        for issue in issues(summary)
    )
    if summary.get("partial"):
        word = "Ended early." if sound(summary) else "Ended early, and not valid."
        sentence = "The figures are of the samples that there are; they should not be compared with others’."
        return Verdict("bad", g.WARNING, word, sentence, found)
    if summary.get("valid") is not True:
        sentence = "These figures should not be compared with others’:"
        return Verdict("bad", g.WRONG, "Not valid.", sentence, found)
    if found:
        return Verdict("remark", g.WARNING, "Valid,", "with remarks:", found)
    sentence = "It ran to its end, every sample has an answer, and the parts of the latency add up."
    return Verdict("good", g.DONE, "Valid.", sentence, ())


def tiles(summary: Mapping[str, Any]) -> list[Tile]:
    """Accuracy, latency, energy, RAM, flash, payload, agreement, outcomes."""
    all_of = figures(summary)
    memory = inner(summary, "memory")
    outcomes = inner(summary, "outcomes")

    def text(key: str) -> str:
        return written(all_of[key].value, all_of[key].unit)

    return [
        _share(all_of["accuracy"], "Accuracy", [("float model", text("float_accuracy"))]),
        _tile(
            all_of["latency_ms.mean"],
            "Latency, mean",
            "ms",
            [(name, text(f"latency_ms.{name}")) for name in ("p50", "p95", "p99")],
        ),
        _tile(
            all_of["energy_mj.mean"],
            "Energy of an inference",
            "mJ",
            [
                ("core", text("energy_mj.cpu")),
                ("radio", text("energy_mj.radio")),
                ("rest", _rest_of_energy(summary)),
            ],
        ),
        _ram(memory),
        _bytes("Flash", memory.get("flash_bytes"), memory.get("flash_limit_bytes")),
        Tile(
            "Payload, mean",
            *_split(fmt.figure(all_of["payload_bytes.mean"].value), "B"),
            (("p95", text("payload_bytes.p95")), ("before coding", text("payload_bytes.raw"))),
            COUNTED,
        ),
        _share(all_of["host_agreement"], "Equal to host reference, bit for bit", []),
        _outcomes(outcomes, summary),
    ]


def _name(summary: Mapping[str, Any], key: str) -> str:
    value = summary.get(key)
    return g.DASH if value is None else str(value)


def _split(value: str, unit: str) -> tuple[str, str]:
    return (value, "" if value == g.DASH else unit)


def _share(figure: Figure, name: str, rows: list[tuple[str, str]]) -> Tile:
    value = g.DASH if figure.value is None else f"{100 * figure.value:.1f}"
    return Tile(name, *_split(value, "%"), tuple(rows), COUNTED)


def _tile(figure: Figure, name: str, unit: str, rows: list[tuple[str, str]]) -> Tile:
    return Tile(name, *_split(fmt.figure(figure.value), unit), tuple(rows), figure.sources)


def _rest_of_energy(summary: Mapping[str, Any]) -> str:
    part = inner(summary, "energy_mj")
    idle, peripherals = number(part.get("idle")), number(part.get("peripherals"))
    return g.DASH if idle is None or peripherals is None else f"{fmt.figure(idle + peripherals)} mJ"


def _ram(memory: Mapping[str, Any]) -> Tile:
    keys = ("ram_static_bytes", "arena_bytes", "stack_reserved_bytes")
    parts = [number(memory.get(key)) for key in keys]
    known = [part for part in parts if part is not None]
    whole = sum(known) if len(known) == len(parts) else None
    peak = number(memory.get("stack_peak_bytes"))
    found = _bytes("RAM", whole, memory.get("ram_limit_bytes"))
    rows = (
        ("arenas", _kib(parts[1])),
        ("stack, peak", written(peak, Unit.BYTES)),
    )
    return Tile(found.name, found.value, found.unit, (*found.rows, *rows), ELF)


def _bytes(name: str, count: Any, limit: Any) -> Tile:
    taken, there = number(count), number(limit)
    value, unit = (g.DASH, "") if taken is None else (f"{taken / 1024:.1f}", "KB")
    rows = []
    if taken is not None and there:
        rows.append((f"of {there / 1024:.0f} KB", fmt.percent(taken / there)))
    return Tile(name, value, unit, tuple(rows), ELF)


def _kib(count: float | None) -> str:
    return g.DASH if count is None else f"{count / 1024:.1f} KB"


def _outcomes(outcomes: Mapping[str, Any], summary: Mapping[str, Any]) -> Tile:
    samples = number(summary.get("samples"))
    rows = [(name, spaced(number(outcomes.get(name)))) for name in ("fallback", "local", "failed")]
    rows.append(("radio repeats", spaced(number(summary.get("radio_retransmissions")))))
    value = spaced(number(outcomes.get("answered")))
    return Tile("Answered by both halves", value, f"of {spaced(samples)}", tuple(rows), COUNTED)
