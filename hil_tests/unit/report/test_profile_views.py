"""A profile as a table, as folded stacks and as a flame graph."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from hil.report.cpi import LOOKS, bar, dominant
from hil.report.flame import HEAD, MARGIN, WIDTH, boxes, flame_graph
from hil.report.profile_table import MOST, profile_view
from hil.twin.profile import Class, FunctionCost, Profile, Stack
from hil.twin.profile.files import as_values, folded

SVG = "{http://www.w3.org/2000/svg}"
Tree = tuple[tuple[str, ...], dict[Class, int]]


def cpi(**ticks: int) -> dict[Class, int]:
    return {cls: ticks.get(cls.name.lower(), 0) for cls in Class}


def profile_of(trees: list[Tree], sleep_ticks: int = 0) -> Profile:
    """Of stacks in depth-first order and their own ticks; every function is called once a stack."""
    stacks = [
        Stack(
            frames=frames,
            calls=1,
            instructions=sum(own.values()) // 100,
            inclusive_ticks=sum(
                sum(other.values()) for below, other in trees if below[: len(frames)] == frames
            ),
            cpi=own,
        )
        for frames, own in trees
    ]
    functions = [
        FunctionCost(stack.frames[-1], 0x0800_0000, 1, stack.instructions, stack.cpi, stack.inclusive_ticks)
        for stack in stacks
    ]
    functions.sort(key=lambda function: -function.self_ticks)
    awake = sum(function.self_ticks for function in functions)
    count = sum(function.instructions for function in functions)
    return Profile(awake, sleep_ticks, count, tuple(functions), tuple(stacks))


PROFILE = profile_of(
    [
        (("reset",), cpi(issue=1_000)),
        (("reset", "main"), cpi(issue=500, branch=1_500)),
        (("reset", "main", "conv<3>"), cpi(issue=50_000, mac=20_000, data=10_000)),
        (("reset", "main", "memcpy"), cpi(issue=9_000, load=1_000)),
        (("[SysTick]",), cpi(other=7_000)),
    ],
    sleep_ticks=100_000,
)


def shown(profile: Profile, width: int) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(profile_view(profile, "image.elf", width))
    return console.export_text()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_has_the_dearest_first_and_a_bar_that_needs_no_colour(width: int) -> None:
    lines = [line.strip() for line in shown(PROFILE, width).splitlines()]
    order = [line.split()[0] for line in lines if "%" in line]
    assert order == ["conv<3>", "memcpy", "[SysTick]", "main", "reset", "all"]
    conv = next(line for line in lines if line.startswith("conv<3>"))
    assert " 800 " in conv
    assert "80.0 %" in conv
    assert "mm" in conv
    assert "dd" in conv
    assert all(look.label in lines[-2] for look in LOOKS.values())
    assert "1,000 cycles" in lines[-1]
    assert max(len(line) for line in lines) <= width


def test_beyond_twenty_functions_the_rest_is_one_row() -> None:
    many = profile_of([((f"f{n:02}",), cpi(issue=100 * (50 - n))) for n in range(50)])
    text = shown(many, 120)
    assert f"{50 - MOST} others" in text
    assert "f19" in text
    assert "f20" not in text


@given(st.lists(st.integers(0, 10**9), min_size=len(Class), max_size=len(Class)), st.integers(1, 60))
def test_a_bar_is_as_wide_as_asked(ticks: list[int], width: int) -> None:
    stack = dict(zip(Class, ticks, strict=True))
    assert len(bar(stack, width)) == (width if sum(ticks) else 0)
    assert stack[dominant(stack)] > 0 or not sum(ticks)


def test_a_function_is_about_its_largest_stall_unless_it_mostly_issues() -> None:
    assert dominant(cpi(issue=70, mac=30)) is Class.ISSUE
    assert dominant(cpi(issue=69, mac=11, data=20)) is Class.DATA


def test_folded_stacks_are_paths_and_cycles() -> None:
    assert folded(PROFILE).splitlines() == [
        "reset 10",
        "reset;main 20",
        "reset;main;conv<3> 800",
        "reset;main;memcpy 100",
        "[SysTick] 70",
        "sleep 1000",
    ]


def test_json_holds_integers_that_add_up() -> None:
    values = as_values(PROFILE, image="image.elf")
    assert values["image"] == "image.elf"
    assert values["totals"]["awake_ticks"] == sum(each["self_ticks"] for each in values["functions"])
    assert values["totals"]["cpi_stack_ticks"]["mac"] == 20_000
    assert values["stacks"][2]["frames"] == ["reset", "main", "conv<3>"]


def test_a_box_lies_on_its_caller_and_beside_its_siblings() -> None:
    reset, main, conv, memcpy, systick = boxes(PROFILE)
    assert (reset.depth, main.depth, conv.depth, systick.depth) == (0, 1, 2, 0)
    assert reset.x == main.x == conv.x == 0.0
    assert memcpy.x == pytest.approx(conv.width)
    assert systick.x == pytest.approx(reset.width)
    assert systick.x + systick.width == pytest.approx(1.0)
    assert main.cpi[Class.MAC] == 20_000, "callees included"
    assert main.self_ticks == 2_000


def test_a_flame_graph_is_sound_xml_that_tells_everything_and_loads_nothing() -> None:
    text = flame_graph(PROFILE, "a & b")
    root = ElementTree.fromstring(text)
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert any(title.startswith("conv<3>: 800 cycles, 80.0 % of all") for title in titles)
    assert any(title.startswith("sleep: 1,000 cycles, 50.0 %") for title in titles)
    words = " ".join(each.text or "" for each in root.iter(f"{SVG}text"))
    assert "a & b" in words
    assert all(look.label in words for look in LOOKS.values())
    assert "href" not in text
    assert "script" not in text
    assert text.count("http") == 1, "the name space alone"


def test_boxes_stay_inside_the_picture() -> None:
    root = ElementTree.fromstring(flame_graph(PROFILE, "image"))
    height = float(root.attrib["height"])
    for frame in root.iter(f"{SVG}rect"):
        x, y, width, tall = (float(frame.attrib.get(key, "0")) for key in ("x", "y", "width", "height"))
        assert x + width <= WIDTH + 0.01
        assert y + tall <= height
        if frame.attrib.get("class") == "f":
            assert x >= MARGIN
            assert y >= HEAD


def test_a_profile_of_nothing_can_be_shown() -> None:
    nothing = profile_of([])
    assert "all" in shown(nothing, 100)
    assert ElementTree.fromstring(flame_graph(nothing, "image")) is not None
    assert folded(nothing) == ""
