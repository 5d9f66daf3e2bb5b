"""`hil bench firmware` and `hil build --explain` on the shipped digits bundle, from build to JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hil.cli import main
from hil.zoo import shelf

pytestmark = [pytest.mark.twin, pytest.mark.usefixtures("toolchain")]

BUNDLE = ["--bundle", str(shelf.FOLDER / "agilenn-digits.safetensors")]


def _json(capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    assert main([*command, *BUNDLE, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_tuned_firmware_is_exact_and_no_slower_than_plain(capsys: pytest.CaptureFixture[str]) -> None:
    report = _json(capsys, "bench", "firmware", "--samples", "2")
    plain, tuned = report["rows"]
    assert (plain["kernels"], tuned["kernels"]) == ("plain", "tuned")
    assert plain["agreement"] == tuned["agreement"] == 1.0
    assert tuned["cycles"] <= plain["cycles"]
    assert tuned["payload_bytes"] == plain["payload_bytes"] > 0
    assert 0 < plain["constant_bytes"] < plain["flash_bytes"]
    assert _json(capsys, "bench", "firmware", "--samples", "2") == report


def test_the_explanation_has_every_candidate_and_one_choice_for_every_op(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = _json(capsys, "build", "--explain")["candidates"]
    chosen = [row for row in rows if row["chosen"] and row["count"]]
    ops = [op for row in chosen for op in range(row["first"], row["first"] + row["count"])]
    assert ops == list(range(max(row["first"] + row["count"] for row in rows if row["count"])))
    plain = {row["first"]: row["cycles"] for row in rows if row["kernel"].startswith(("arm_", "hil_slice"))}
    for row in chosen:
        if row["sends"] == "nothing":
            assert row["cycles"] <= sum(plain[op] for op in range(row["first"], row["first"] + row["count"]))
