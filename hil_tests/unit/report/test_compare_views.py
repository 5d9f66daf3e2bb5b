"""A comparison as a table, as Markdown and as JSON."""

from __future__ import annotations

import json
import re

from hil.report.compare import Comparison, compare
from hil.report.compare_json import as_values
from hil.report.compare_markdown import markdown
from hil.report.compare_table import compare_table
from hil.report.compare_text import conclusion, sections, written
from hil.report.figures import Unit
from hil.report.thresholds import load
from hil_tests.unit.report.feed import picture
from hil_tests.unit.report.summaries import on_renode, summary, timed_by_the_host

WORSE = compare(summary(), summary(accuracy=0.9, memory__flash_bytes=26_000), load())
NULL = {"mean": None, "cpu": None, "radio": None, "idle": None, "source": None}


def table(comparison: Comparison, width: int = 120) -> list[str]:
    return picture(compare_table(comparison, "b against a", width), width)


def row(lines: list[str], label: str) -> list[str]:
    (found,) = [line for line in lines if line.strip().startswith(f"{label}  ")]
    return re.split(r"\s{2,}", found.strip())


def test_the_table_has_every_figure_in_its_unit() -> None:
    lines = table(WORSE)
    assert row(lines, "accuracy") == ["accuracy", "98.0 %", "90.0 %", "-8.0 pp", "2.0 pp", "✗ worse"]
    assert row(lines, "flash") == ["flash", "28 000 B", "26 000 B", "-2 000 B", "-7.1 %", "280 B", "✓ better"]
    assert row(lines, "valid run") == ["valid run", "yes", "yes", "= same"]
    assert row(lines, "2 layers") == ["2 layers", "= same"]


def test_it_fits_a_narrow_terminal() -> None:
    for width in (80, 88, 100):
        lines = table(WORSE, width)
        assert not any("…" in line for line in lines)
        assert row(lines, "accuracy")[:4] == ["accuracy", "98.0 %", "90.0 %", "-8.0 pp"]
        assert row(lines, "accuracy")[-1] == "✗ worse"
        assert ("allowed" in lines[2]) is (width == 100)


def test_null_energy_is_a_dash() -> None:
    lines = table(compare(summary(), summary(energy_mj=NULL), load()))
    assert row(lines, "energy, mean") == ["energy, mean", "1.600 mJ", "–", "○ gone"]


def test_a_layer_that_changed_is_listed_the_others_are_counted() -> None:
    layers = summary()["cycles"]["per_layer"]
    changed = compare(
        summary(), summary(cycles__per_layer=[layers[0], layers[1] | {"cycles": 30_000}]), load()
    )
    lines = table(changed)
    assert row(lines, "dense")[-1] == "✗ worse"
    assert row(lines, "1 layer")[-1] == "= same"


def test_sources_stand_beside_their_group() -> None:
    named = {section.group: section.sources for section in sections(WORSE)}
    assert named["latency"] == "twin_instructions + modelled"
    assert named["accuracy"] == ""
    across = compare(summary(), on_renode(), load(), across_sources=True)
    named = {section.group: section.sources for section in sections(across)}
    assert named["latency"] == "twin_instructions + modelled → renode_instructions + modelled"


def test_the_conclusion_names_what_regressed() -> None:
    assert conclusion(WORSE).endswith("figures judged: accuracy")
    assert conclusion(WORSE).startswith("1 regression in ")
    assert conclusion(compare(summary(), summary(), load())).startswith("no regression in ")


def test_a_change_too_small_to_write_is_no_signed_zero() -> None:
    lines = table(compare(summary(), summary(latency_ms__mean=5.0 + 1e-6), load()))
    assert row(lines, "latency, mean") == [
        "latency, mean",
        "5.000 ms",
        "5.000 ms",
        "~0",
        "0.100 ms",
        "· within",
    ]


def test_units() -> None:
    assert written(96.04, Unit.BYTES) == "96 B"
    assert written(1234567.5, Unit.BYTES) == "1 234 567.5 B"
    assert written(None, Unit.MS) == "–"
    assert written(0.0, Unit.FLAG) == "no"


def test_markdown_is_one_table_with_the_conclusion_above() -> None:
    comparison = compare(timed_by_the_host(), timed_by_the_host(radio="a|b", host_agreement=0.5), load())
    text = markdown(comparison, "runs/one", "runs/t_w_o")
    lines = text.splitlines()
    assert lines[0] == r"### runs/t\_w\_o against runs/one"
    assert lines[2].startswith("✗ 1 regression")
    assert "- different radio: wifi-6m against a\\|b" in lines
    rows = [line for line in lines if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows}) == 1
    assert "| equal to host reference | 100.0 % | 50.0 % | -50.0 pp |  |  | **✗ worse** |" in rows
    assert text.endswith("|\n")


def test_json_has_both_values_sources_and_the_verdict() -> None:
    document = json.loads(json.dumps(as_values(WORSE, "one", "two"), allow_nan=False))
    assert document["regressed"] is True
    assert document["regressions"] == ["accuracy"]
    (cpu,) = [figure for figure in document["figures"] if figure["key"] == "energy_mj.cpu"]
    assert cpu == {
        "key": "energy_mj.cpu", "group": "energy", "unit": "mJ", "baseline": 0.2, "new": 0.2, "change": 0.0,
        "relative": 0.0, "allowed": 0.004, "better": "lower", "verdict": "same",
        "baseline_sources": ["modelled", "twin_instructions"],
        "new_sources": ["modelled", "twin_instructions"],
    }  # fmt: skip
