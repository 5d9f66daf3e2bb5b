"""The arena map: every buffer with its place and life, at the width of a terminal and as a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from hil.deploy.plan import Buffer, Overlap, Plan, Region, plan
from hil.report.arena import Scale, arena_view, step_names
from hil.report.arena_json import memory_report
from hil.report.arena_svg import arena_svg
from hil_tests.unit.deploy.memory.cases import Case, cases

SVG = "{http://www.w3.org/2000/svg}"
LAYERS = ["conv", "clamp"]
BUFFERS = (
    Buffer("input", 800, 0, 1, 800),
    Buffer("map", 400, 0, 1, 900),
    Buffer("scratch_0", 80, 0, 0, scratch=True),
    Buffer("clamped", 400, 1, 4, 800),
)
PLAN = plan(BUFFERS, [Overlap(1, "clamped", "map")], dtcm_bytes=100)


def lines(placed: Plan, layers: list[str], width: int = 80) -> list[str]:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(arena_view(placed, layers, width))
    return console.export_text().splitlines()


def test_a_row_tells_name_offset_bytes_and_life() -> None:
    text = lines(PLAN, LAYERS)
    rows = {line.split()[0]: line.split() for line in text if line.strip()}
    assert rows["clamped"] == ["clamped", "800", "400", "····████████████████"]
    assert rows["map"][1:] == ["800", "400", "████████············"]
    assert rows["scratch_0"][1:] == ["0", "80", "████················"]
    assert "DTCM: 80 bytes, the least that its buffers can take" in text
    assert "SRAM: 1,200 bytes, the least that its buffers can take" in text
    assert any("steps:  0 conv  1 clamp  2 quantise  3 encode  4 send" in line for line in text)


def test_the_gap_is_told() -> None:
    arena = PLAN.arenas[Region.SRAM]
    loose = Plan(BUFFERS, PLAN.arenas | {Region.SRAM: type(arena)(arena.offsets, 1500, 1200, 0)}, PLAN.alive)
    expected = "SRAM: 1,500 bytes; its buffers take at least 1,200, so the gap is at most 25.0 %"
    assert expected in lines(loose, LAYERS)
    assert expected in arena_svg(loose, LAYERS, "a title")


@settings(max_examples=30, deadline=None)
@given(cases(), st.integers(0, 5000), st.integers(60, 120))
def test_it_fits_the_terminal_and_names_every_buffer_once(case: Case, dtcm_bytes: int, width: int) -> None:
    placed = plan(case.buffers, case.overlaps, dtcm_bytes)
    text = lines(placed, [f"layer {n}" for n in range(len(placed.alive))], width)
    assert max(map(len, text)) <= width
    assert sorted(
        line.split()[0] for line in text if line.startswith(" b") and "buffer" not in line
    ) == sorted(b.name for b in case.buffers)


@pytest.mark.parametrize(("steps", "columns"), [(5, 40), (38, 38), (54, 38), (200, 38), (1, 4)])
def test_all_steps_find_a_column(steps: int, columns: int) -> None:
    scale = Scale.fitting(steps, columns)
    groups = scale.groups()
    assert [step for group in groups for step in group] == list(range(steps))
    assert len(groups) * scale.wide <= columns
    assert len(scale.ruler()) <= len(groups) * scale.wide


def test_the_picture_has_a_box_for_every_buffer_as_high_as_its_bytes() -> None:
    root = ET.fromstring(arena_svg(PLAN, LAYERS, "a < b"))
    boxes = {
        group.findtext(f"{SVG}title", "").split(":")[0]: group.find(f"{SVG}rect")
        for group in root.iter(f"{SVG}g")
    }
    assert boxes.keys() == {b.name for b in BUFFERS}
    heights = {name: float(box.get("height", "0")) for name, box in boxes.items() if box is not None}
    assert heights["input"] == pytest.approx(2 * heights["map"], abs=0.2)
    assert "a < b" in [text.text for text in root.iter(f"{SVG}text")]


def test_an_output_in_place_begins_where_its_input_ends() -> None:
    root = ET.fromstring(arena_svg(PLAN, LAYERS, ""))
    boxes = {
        group.findtext(f"{SVG}title", "").split(":")[0]: group.find(f"{SVG}rect")
        for group in root.iter(f"{SVG}g")
    }
    before, after = boxes["map"], boxes["clamped"]
    assert before is not None
    assert after is not None
    end = float(before.get("x", "0")) + float(before.get("width", "0"))
    assert float(after.get("x", "0")) == pytest.approx(end, abs=0.2)
    assert before.get("y") == after.get("y")


def test_json_says_where_everything_lies() -> None:
    report = memory_report(PLAN)
    assert report["arenas"] == {
        "dtcm": {"bytes": 80, "lower_bound_bytes": 80},
        "sram": {"bytes": 1200, "lower_bound_bytes": 1200},
    }
    assert report["buffers"][2] == {
        "name": "scratch_0", "region": "dtcm", "offset": 0, "bytes": 80, "first_step": 0, "last_step": 0,
    }  # fmt: skip


def test_the_steps_after_the_layers_have_names() -> None:
    assert step_names(["a"]) == ("a", "quantise", "encode", "send")
