"""The workflows of .github can be run: what they name is there. They themselves need GitHub."""

from __future__ import annotations

import configparser
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from hil.cli.app import make_app
from hil.paths import REPOSITORY
from hil_tests.patience import PATIENCE_S
from hil_tests.unit.report.summaries import on_renode, summary

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
BY_HAND = {"hil_tests/baselines/renode-digits.json"}
"""Compared with once somebody has made it; its script asks whether it is there."""

GATES = {"ci": "hil_tests/baselines/twin-digits.json summary.json", "renode": "twin.json renode.json"}
"""What each workflow compares on every push."""

pytestmark = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)


def document(workflow: Path) -> dict[Any, Any]:
    loaded = yaml.safe_load(workflow.read_text())
    assert isinstance(loaded, dict)
    return loaded


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in document(workflow)["jobs"].values():
        yield from job["steps"]


def scripts(workflow: Path) -> list[str]:
    """Without GitHub's expressions, and with continued lines joined."""
    found = [step["run"] for step in steps(workflow) if "run" in step]
    return [EXPRESSION.sub("VALUE", script).replace("\\\n", " ") for script in found]


def calls(workflow: Path, program: str) -> Iterator[list[str]]:
    """The arguments of every call of `program`, up to where the shell's own words begin."""
    for line in "\n".join(scripts(workflow)).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        words = list(itertools.takewhile(lambda word: not set(word) <= set("|&;<>()"), lexer))
        if words[:1] == [program]:
            yield words[1:]


def test_the_form_is_githubs(workflow: Path) -> None:
    content = document(workflow)
    # YAML 1.1 reads the key `on` as true.
    assert content[True]
    assert content["permissions"] == {"contents": "read"}
    for job in content["jobs"].values():
        assert re.fullmatch(r"ubuntu-\d\d\.\d\d", job["runs-on"])
        assert job["timeout-minutes"] <= 60
    for step in steps(workflow):
        assert ("run" in step) is not ("uses" in step)
        assert re.search(r"@v\d+$", step.get("uses", "@v1"))


def test_the_scripts_are_bash(workflow: Path) -> None:
    assert document(workflow)["defaults"]["run"]["shell"] == "bash"
    for script in scripts(workflow):
        subprocess.run(["bash", "-n", "-c", script], check=True, timeout=PATIENCE_S)


def test_every_file_they_name_is_there(workflow: Path) -> None:
    for script in scripts(workflow):
        for name in re.findall(r"(?:hil_tests|tools|docs|host|mcu)/[\w./-]*\w", script):
            by_hand = name in BY_HAND and f"[ -f {name} ]" in script
            assert by_hand or (REPOSITORY / name).exists(), name


def test_every_verb_and_option_exists(workflow: Path) -> None:
    verbs = typer.main.get_command(make_app()).commands  # type: ignore[attr-defined]
    for verb, *arguments in calls(workflow, "tools/hil"):
        if verb == "test":
            continue
        known = {name for parameter in verbs[verb].params for name in parameter.opts}
        for argument in arguments:
            assert not argument.startswith("-") or argument in known, f"hil {verb} {argument}"


@pytest.mark.parametrize(("accuracy", "code"), [(0.98, 0), (0.5, 1)])
def test_a_step_that_compares_fails_with_a_regression(
    workflow: Path, accuracy: float, code: int, tmp_path: Path
) -> None:
    """The step's own script in a checkout whose runs and baselines are made up."""
    checkout = tmp_path / "checkout"
    shutil.copytree(REPOSITORY / "hil_tests" / "baselines", checkout / "hil_tests" / "baselines")
    (checkout / "tools").mkdir()
    (checkout / "tools" / "hil").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hil "$@"\n')
    (checkout / "tools" / "hil").chmod(0o755)
    for name in ("twin.json", "hil_tests/baselines/twin-digits.json"):
        (checkout / name).write_text(json.dumps(summary()))
    (checkout / "summary.json").write_text(json.dumps(summary(accuracy=accuracy)))
    (checkout / "renode.json").write_text(json.dumps(on_renode(accuracy=accuracy)))
    (script,) = [script for script in scripts(workflow) if f"compare {GATES[workflow.stem]}" in script]
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=checkout,
        env={**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "step.md")},
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == code
    assert ("✗ 1 regression" in (tmp_path / "step.md").read_text()) is bool(code)


def test_every_environment_and_marker_exists(workflow: Path) -> None:
    tox = configparser.ConfigParser()
    tox.read(REPOSITORY / "tox.ini")
    for arguments in calls(workflow, "tox"):
        assert f"testenv:{arguments[1]}" in tox
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    markers = {marker.partition(":")[0] for marker in project["tool"]["pytest"]["ini_options"]["markers"]}
    selects = re.findall(r"(?:select:|test -m) ([\w ]+)$", workflow.read_text(), re.MULTILINE)
    assert selects
    for select in selects:
        assert set(select.split()) - {"not", "and", "or"} <= markers
