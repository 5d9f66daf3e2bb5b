"""The table of `hil bench accuracy`, on a terminal and in a document."""

from __future__ import annotations

from io import StringIO

from hypothesis import given
from rich.console import Console

from hil.bench.row import AccuracyRow, OnTwin
from hil.report.accuracy import HEAD, accuracy_markdown, accuracy_table, caption, cells
from hil.report.glyphs import DASH
from hil_tests.unit.bench.rows import ROWS, row


@given(ROWS)
def test_every_figure_has_its_column(measured: AccuracyRow) -> None:
    assert len(cells(measured)) == len(HEAD)
    assert accuracy_table([measured]).row_count == len(HEAD) - 1
    lines = accuracy_markdown([measured]).splitlines()
    assert {line.count("|") for line in lines[:3]} == {len(HEAD) + 1}


def test_figures_are_in_their_units() -> None:
    shown = dict(zip(HEAD, cells(row()), strict=True))
    assert shown["drop"] == "+0.25"
    assert shown["latency"] == "9.710 ms"
    assert shown["asks"] == "100 %"
    assert shown["MACs, device"] == "175 k"
    assert (shown["weights, device"], shown["weights, server"]) == ("376", "51.7 k")


def test_five_schemes_fit_a_terminal_of_80() -> None:
    rows = [row(scheme=name) for name in ("agilenn", "edge_only", "mcunet", "deepcod", "spinn")]
    console = Console(width=80, file=StringIO())
    console.print(accuracy_table(rows))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\u2026" not in shown
    assert all(line.count("81.25 %") == 5 for line in shown.splitlines() if line.startswith(" float"))


def test_what_a_scheme_has_not_is_a_dash() -> None:
    shown = dict(zip(HEAD, cells(row(payload_bytes_mean=None, exit_share=None, twin=None)), strict=True))
    assert {shown[name] for name in ("payload, mean", "asks", "on the twin", "latency")} == {DASH}


def test_the_caption_says_what_was_looked_at() -> None:
    alone = row(scheme="mcunet", twin=OnTwin(1000, 0.8, 1.0, 200.0, "none"))
    said = caption([row(), alone])
    assert said == (
        "cifar10, test split: 10 000 samples on the host; twin: 1 000 samples over wifi-6m, server 1 ms"
    )
    assert caption([row(twin=None)]) == "cifar10, test split: 10 000 samples on the host"
