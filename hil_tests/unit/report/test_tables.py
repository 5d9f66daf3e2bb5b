"""Tables at the end of a verb."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from hil.boards.protocol import BoardInfo
from hil.bundle import InputFormat, Manifest, PayloadFormat
from hil.deploy.deployment import Footprint
from hil.doctor import Check, Status
from hil.measure.source import Source
from hil.report.boards import boards_table
from hil.report.checks import checks_table
from hil.report.footprint import footprint_lines
from hil.report.table import print_summary, rows
from hil.report.training import training_rows
from hil_tests.unit.report.feed import SUMMARY, picture

TWIN = BoardInfo("twin", "an emulated board", "nucleo", 1 << 20, 320 << 10, True, Source.TWIN_CYCLES, 921_600)


def test_every_figure_of_the_summary_has_its_origin() -> None:
    table = {name.strip(): (value, source) for name, value, source in rows(SUMMARY)}
    assert table["latency"] == ("10.50 ms", "twin_cycles")
    assert table["p50 / p95 / p99"][0] == "10.00 / 14.00 / 15.00 ms"
    assert table["radio"] == ("0.400 mJ", "modelled")
    assert table["device cycles"] == ("237 123", "twin_cycles")
    assert table["accuracy"][0] == "95.0 %"


def test_each_part_may_have_an_origin_of_its_own() -> None:
    latency = {"mean": 1.0, "local": 0.2, "link": 0.8, "source": {"local": "twin_cycles", "link": "modelled"}}
    table = {name.strip(): source for name, _, source in rows({"latency_ms": latency})}
    assert (table["local"], table["link"]) == ("twin_cycles", "modelled")
    assert table["latency"] == "twin_cycles + modelled"


def test_answers_from_a_prefix_have_a_row_where_there_are_any() -> None:
    part = {"samples": 6, "channels": 9.5, "accuracy": 0.5}
    table = {name.strip(): value for name, value, _ in rows({**SUMMARY, "prefixes": part})}
    assert table["answered from a prefix"] == "6 (9.500 channels, accuracy 50.0 %)"
    none = {"samples": 0, "channels": None, "accuracy": None}
    assert rows({**SUMMARY, "prefixes": none}) == rows(SUMMARY)


def test_injected_faults_have_rows_that_say_how_their_samples_ended() -> None:
    faults = {
        "injected": {"frame-loss": 5, "disk-full": 1},
        "outcomes": {"frame-loss": {"retried": 3, "fallback": 2}, "disk-full": {}},
    }
    table = {name.strip(): value for name, value, _ in rows({**SUMMARY, "faults": faults})}
    assert table["faults"] == "6"
    assert table["frame-loss"] == "5 (retried 3, fallback 2)"
    assert table["disk-full"] == "1"
    assert rows({**SUMMARY, "faults": None}) == rows(SUMMARY)


def test_what_authentic_replies_cost_has_a_row_where_there_are_any() -> None:
    part = {
        "replies": True,
        "nonce": "rng",
        "unauthentic": 2,
        "verify_cycles": 10_396.4,
        "source": "twin_cycles",
    }
    table = {name: (value, source) for name, value, source in rows({**SUMMARY, "authentication": part})}
    assert table["authentic replies"] == ("10 396 cycles each, 2 ignored", "twin_cycles")
    assert rows({**SUMMARY, "authentication": {"replies": False}}) == rows(SUMMARY)


def test_energy_that_is_null_is_no_number() -> None:
    table = {name: value for name, value, _ in rows({**SUMMARY, "energy_mj": None})}
    assert table["energy"] == "– neither measured nor modelled"
    assert rows({})  # an empty summary, as of a run that broke off, can still be shown


def test_issues_and_an_invalid_run_are_told() -> None:
    console = Console(width=100, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115
    print_summary(console, {**SUMMARY, "valid": False}, Path("/tmp/runs/one"))
    text = console.export_text()
    assert "the server was slow (start it near)" in text
    assert "not valid" in text
    assert "run folder: /tmp/runs/one" in text


def test_a_training_is_summed_up() -> None:
    manifest = Manifest(
        scheme="agilenn",
        dataset="digits",
        classes=10,
        seed=0,
        input=InputFormat(24, 24, 1, 3, (0.5,), (0.5,)),
        payload=PayloadFormat(5, 19, 8, 8, tuple(range(8))),
        alpha=0.25,
        config={},
        metrics={"accuracy": 0.98, "local_accuracy": 0.7, "skewness": 0.84, "payload_bytes": 200.0},
    )
    table = dict(training_rows(manifest, 0.8))
    assert table["accuracy, both halves"] == "98.0 %"
    assert table["accuracy, device alone"] == "70.0 %"
    assert table["skewness"] == "84.0 %, aimed at 80.0 %"
    assert table["payload, mean"] == "200 B of 456 B raw"
    assert not [name for name in table if "percentile" in name or "channels" in name]
    cut = {"payload_bytes_p95": 230.0, "accuracy_at_0": 0.5, "accuracy_at_25": 0.9, "accuracy_at_75": 0.97}
    table = dict(training_rows(replace(manifest, metrics=manifest.metrics | cut), 0.8))
    assert table["payload, 95th percentile"] == "230 B"
    assert table["accuracy, 0 of 19 channels sent"] == "50.0 %"
    assert table["accuracy, 5 of 19 channels sent"] == "90.0 %"
    assert table["accuracy, 14 of 19 channels sent"] == "97.0 %"


def test_a_training_without_a_link_or_a_local_half_says_where_the_answer_comes_from() -> None:
    local = Manifest(
        scheme="mcunet",
        dataset="digits",
        classes=10,
        seed=0,
        input=InputFormat(24, 24, 1, 3, (0.5,), (0.5,)),
        payload=None,
        alpha=1.0,
        config={},
        metrics={"accuracy": 0.98},
    )
    assert training_rows(local, None) == [("accuracy, on the device", "98.0 %")]
    sent = PayloadFormat(0, 1, 8, 8, tuple(level / 255 for level in range(256)))
    remote = replace(local, payload=sent, alpha=0.0, metrics={"accuracy": 0.98, "payload_bytes": 49.0})
    assert training_rows(remote, None) == [
        ("accuracy, on the server", "98.0 %"),
        ("payload, mean", "49 B of 64 B raw"),
    ]
    exits = {"accuracy": 0.98, "end_accuracy": 0.99, "exit_share": 0.75}
    assert training_rows(replace(remote, metrics=exits, exit_confidence=0.8), None) == [
        ("accuracy, exit or server", "98.0 %"),
        ("accuracy, the network's own end", "99.0 %"),
        ("answered by the device's exit", "75.0 %"),
    ]


def test_a_run_that_sends_nothing_says_so() -> None:
    nothing = {**SUMMARY, "payload_bytes": {"mean": 0.0, "p95": 0.0, "raw": 0}}
    table = {name: value for name, value, _ in rows(nothing)}
    assert table["payload"] == "– nothing is sent"


def test_a_footprint_is_held_against_the_board() -> None:
    lines = [line.plain for line in footprint_lines(Footprint(100 << 10, 2000, 64 << 10, 8192), TWIN, 80)]
    assert "100 KB of 1024 KB" in lines[0]
    assert "74 KB of 320 KB" in lines[1]
    assert "arena 64 KB" in lines[2]


def test_boards_and_checks_fit_a_narrow_terminal() -> None:
    assert any("twin" in line for line in picture(boards_table([TWIN]), 80))
    checks = [
        Check("gcc", Status.MISSING, "not there [x]", "apt-get it"),
        Check("torch", Status.OK, "2.13.0"),
    ]
    text = "\n".join(picture(checks_table(checks), 60))
    assert "✗ missing" in text
    assert "→ apt-get it" in text
    assert "not there [x]" in text
