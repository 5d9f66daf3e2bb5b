"""JUnit XML that any reader takes, whatever the names are."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.report.junit import Case, Problem, junit

TEXT = st.text(max_size=20)


@settings(max_examples=50)
@given(TEXT, TEXT, TEXT, st.booleans())
def test_any_text_makes_well_formed_xml(name: str, message: str, output: str, is_error: bool) -> None:
    problem = Problem(name, message, output, is_error)
    text = junit(name, [Case(name, problem, output=output), Case(name)], {name: message})
    root = ET.fromstring(text.encode())
    suite = root.find("testsuite")
    assert suite is not None
    counts = [suite.get(key) for key in ("tests", "failures", "errors", "skipped")]
    assert counts == ["2", "01"[not is_error], "01"[is_error], "0"]


def test_times_add_up() -> None:
    root = ET.fromstring(junit("s", [Case("a", seconds=1.5), Case("b", seconds=0.25)], {}))
    assert root.get("time") == "1.750"
