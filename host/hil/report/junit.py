"""Test cases as JUnit XML, which CI systems show."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


@dataclass(frozen=True)
class Problem:
    """Why a case did not pass."""

    code: str
    message: str
    hint: str = ""
    is_error: bool = False
    """It could not be tried, where a failure was tried and went wrong."""


@dataclass(frozen=True)
class Case:
    """Something that holds, or does not."""

    name: str
    problem: Problem | None = None
    skipped: str = ""
    """Why it says nothing, if it does not."""
    seconds: float | None = None
    output: str = ""


def junit(suite: str, cases: Sequence[Case], properties: Mapping[str, str]) -> str:
    """One suite of `cases`, whose class is the suite."""
    problems = [case.problem for case in cases if case.problem is not None]
    counts = {
        "tests": len(cases),
        "failures": sum(not problem.is_error for problem in problems),
        "errors": sum(problem.is_error for problem in problems),
        "skipped": sum(bool(case.skipped) for case in cases),
    }
    seconds = sum(case.seconds or 0.0 for case in cases)
    attributes = {**{name: str(count) for name, count in counts.items()}, "time": f"{seconds:.3f}"}
    root = ET.Element("testsuites", {"name": "hil", **attributes})
    inside = ET.SubElement(root, "testsuite", {"name": _legal(suite), **attributes})
    listed = ET.SubElement(inside, "properties")
    for name, value in properties.items():
        ET.SubElement(listed, "property", {"name": _legal(name), "value": _legal(value)})
    for case in cases:
        _add(inside, suite, case)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add(suite: ET.Element, classname: str, case: Case) -> None:
    attributes = {"classname": _legal(classname), "name": _legal(case.name)}
    attributes["time"] = f"{case.seconds or 0.0:.3f}"
    element = ET.SubElement(suite, "testcase", attributes)
    if case.problem is not None:
        tag, problem = "error" if case.problem.is_error else "failure", case.problem
        inner = ET.SubElement(
            element, tag, {"type": _legal(problem.code), "message": _legal(problem.message)}
        )
        inner.text = _legal(f"{problem.message}\n{problem.hint}".strip())
    elif case.skipped:
        ET.SubElement(element, "skipped", {"message": _legal(case.skipped)})
    if case.output:
        ET.SubElement(element, "system-out").text = _legal(case.output)


def _legal(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
