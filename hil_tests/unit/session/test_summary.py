"""summary.json follows its page in the documentation."""

from __future__ import annotations

import json
from pathlib import Path

from hil_tests.unit.session.fakes import run_fake

PAGE = Path(__file__).parents[3] / "docs" / "summary.md"

AGREED = {
    "schema": None, "scheme": None, "dataset": None, "board": None, "radio": None, "samples": None,
    "accuracy": None, "host_agreement": None,
    "latency_ms": {"mean", "p50", "p95", "p99", "local", "link", "remote", "fuse", "source"},
    "cycles": {"device_total", "per_layer", "source"},
    "energy_mj": {"mean", "cpu", "radio", "idle", "source"},
    "memory": {"flash_bytes", "ram_static_bytes", "arena_bytes", "stack_peak_bytes"},
    "payload_bytes": {"mean", "p95", "raw"},
    "retransmissions": None, "fallbacks": None, "valid": None, "issues": None, "provenance": None,
}  # fmt: skip
"""As DESIGN.md has it."""


def test_the_agreed_keys_are_there_and_the_file_is_what_the_caller_gets(tmp_path):
    result = run_fake(tmp_path)
    written = json.loads((result.folder / "summary.json").read_text())
    assert written == result.summary
    for key, parts in AGREED.items():
        assert key in written
        assert parts is None or parts <= set(written[key])
    assert set(written["cycles"]["per_layer"][0]) == {"name", "kernel", "cycles", "macs"}


def test_every_key_is_documented(tmp_path):
    page = PAGE.read_text()
    for key, value in run_fake(tmp_path).summary.items():
        assert f"`{key}`" in page, key
        if isinstance(value, dict):
            for inner in value:
                assert f"`{inner}`" in page, f"{key}.{inner}"


def test_every_issue_code_is_documented():
    page = PAGE.read_text()
    folder = Path(__file__).parents[3] / "host" / "hil" / "session"
    from hil.session.verdict import INVALIDATING

    codes = set(INVALIDATING) | {
        "server-busy", "server-corrupt", "server-failed", "wire-bottleneck", "reporter-failed", "no-server",
        "no-energy", "reply-refused", "clock-drift", "firmware-repaired", "firmware-unchecked", "weak-nonce",
    }  # fmt: skip
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    for code in codes:
        assert f"`{code}`" in page, code
        assert code in source or code.startswith("server-"), code


def test_accuracy_counts_every_sample_and_the_float_models_on_the_same_ones(tmp_path):
    result = run_fake(tmp_path, n=20)
    right = sum(record.prediction == record.label for record in result.records)
    assert result.summary["accuracy"] == right / 20
    assert result.summary["float_accuracy"] == 1.0


def test_a_failed_sample_counts_as_wrong_and_is_left_out_of_times_and_agreement(tmp_path):
    from hil_tests.unit.session.fake_device import Mishaps
    from hil_tests.unit.session.fakes import FakeBoard

    result = run_fake(tmp_path, FakeBoard(mishaps=Mishaps(rejects={0: 1})), n=4)
    right = sum(record.correct for record in result.records[1:])
    assert result.summary["accuracy"] == right / 4
    assert result.summary["host_agreement"] == 1.0
    assert result.summary["outcomes"] == {"answered": 3, "fallback": 0, "local": 0, "failed": 1}


def test_provenance_names_what_ran(tmp_path):
    provenance = run_fake(tmp_path).summary["provenance"]
    assert provenance["command"] == ["hil", "run"]
    assert provenance["bundle"]["sha256"] == bytes(range(32)).hex()
    assert len(provenance["elf"]["sha256"]) == 64
    assert provenance["packages"]["torch"].startswith("2.")
    assert provenance["time_utc"].endswith("+00:00")
