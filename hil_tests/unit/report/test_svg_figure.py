"""Drawings for a page: its colours, its letters, no identifier of another drawing."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hil.report.svg_figure import GROUND, INK, plot, scoped, standalone


def drawn(name: str, label: str = "a drawing") -> str:
    def draw(figure):  # type: ignore[no-untyped-def]
        axis = figure.subplots()
        axis.plot([0, 1, 2], [0, 1, 0], marker="o", color=INK, label="<b>$x$")
        axis.set_facecolor(GROUND)
        axis.legend()

    return plot(draw, 3, 2, name, label)


def identifiers(svg: str) -> set[str]:
    return {found for element in ET.fromstring(svg).iter() if (found := element.get("id"))}


def test_two_drawings_share_no_identifier_and_refer_to_their_own() -> None:
    one, other = drawn("one"), drawn("other")
    assert identifiers(one).isdisjoint(identifiers(other))
    assert all(found.split("-")[0] == "one" for found in identifiers(one))
    referred = {value[1:] for element in ET.fromstring(one).iter()
                for key, value in element.attrib.items() if key.endswith("href")}  # fmt: skip
    assert referred
    assert referred <= identifiers(one)


def test_the_page_s_colours_are_variables_and_a_file_brings_them_along() -> None:
    svg = drawn("one")
    assert "var(--ink)" in svg
    assert "var(--ground)" in svg
    assert INK not in svg
    assert "<style" not in svg
    assert "--ink:#16191d" in standalone(svg)
    assert "prefers-color-scheme:dark" in standalone(svg)


def test_text_stays_text_and_is_never_markup() -> None:
    svg = drawn("one", '"><script>')
    root = ET.fromstring(svg)
    assert root.get("aria-label") == '"><script>'
    assert "<b>$x$" in "".join(root.itertext())
    assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}


def test_the_same_drawing_gives_the_same_text() -> None:
    assert drawn("one") == drawn("one")


def test_rules_of_a_drawing_hold_inside_it_alone() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><style>text{fill:red}</style><text>t</text></svg>'
    assert "<style>#own{text{fill:red}}</style>" in scoped(svg, "own", "label")
