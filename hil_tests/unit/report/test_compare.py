"""The verdicts of a comparison: pure, from summaries alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import UsageError
from hil.report.compare import REGRESSIONS, Comparison, Verdict, compare, judge
from hil.report.figures import GROUPS, Figure, Unit, figures
from hil.report.thresholds import Better, Rule, load
from hil_tests.unit.report.summaries import on_renode, summary, timed_by_the_host

RULES = load()


def against(b: dict[str, Any], a: dict[str, Any] | None = None, **options: Any) -> Comparison:
    return compare(a or summary(), b, RULES, **options)


def verdicts(comparison: Comparison) -> dict[str, Verdict]:
    return {delta.a.key: delta.verdict for delta in comparison.deltas}


def regressed(comparison: Comparison) -> list[str]:
    return [delta.a.key for delta in comparison.regressions]


def remarks(comparison: Comparison) -> set[str]:
    return {remark.code for remark in comparison.remarks}


def test_a_run_is_equal_to_itself() -> None:
    comparison = against(summary())
    assert not comparison.regressions
    assert not comparison.remarks
    assert set(verdicts(comparison).values()) == {Verdict.SAME, Verdict.WALL_CLOCK}


def test_every_number_of_the_summary_is_a_figure() -> None:
    found = figures(summary())
    assert all(figure.value is not None for figure in found.values())
    assert {figure.group for figure in found.values()} == set(GROUPS)
    for part in ("latency_ms", "energy_mj", "memory", "payload_bytes"):
        numbers = {key for key, value in summary()[part].items() if isinstance(value, int | float)}
        assert {key.partition(".")[2] for key in found if key.startswith(f"{part}.")} == numbers


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("accuracy", 0.95),
        ("host_agreement", 0.99),
        ("latency_ms__mean", 5.2),
        ("latency_ms__p95", 5.4),
        ("latency_ms__local", 0.7),
        ("latency_ms__remote", 3.0),
        ("cycles__device_total", 1_200_000),
        ("energy_mj__mean", 1.7),
        ("memory__flash_bytes", 29_000),
        ("memory__stack_peak_bytes", 900),
        ("payload_bytes__mean", 120.0),
        ("wire_retransmissions", 10),
        ("radio_retransmissions", 10),
        ("fallbacks", 5),
        ("valid", False),
    ],
)
def test_what_became_worse_is_a_regression_and_the_reverse_is_none(place: str, value: float) -> None:
    worse = summary(**{place: value})
    assert regressed(against(worse)) == [place.replace("__", ".")]
    assert not regressed(against(summary(), worse))


def test_layers_are_compared_by_name() -> None:
    layers = summary()["cycles"]["per_layer"]
    slower = [layers[1] | {"cycles": 22_000}, layers[0]]
    assert regressed(against(summary(cycles__per_layer=slower))) == ["cycles.per_layer.dense"]
    other = [layers[0], layers[1] | {"name": "head"}]
    found = verdicts(against(summary(cycles__per_layer=other)))
    assert found["cycles.per_layer.dense"] is Verdict.GONE
    assert found["cycles.per_layer.head"] is Verdict.NEW
    assert list(found).index("cycles.per_layer.head") < list(found).index("energy_mj.mean")


def test_two_layers_of_one_name_stay_two() -> None:
    layer = {"name": "add", "cycles": 1.0}
    assert (
        sum(key.startswith("cycles.per_layer") for key in figures(summary(cycles__per_layer=[layer] * 2)))
        == 2
    )


def test_counts_are_compared_per_sample() -> None:
    long, short = summary(samples=1000, fallbacks=100), summary(samples=100, fallbacks=10)
    comparison = against(short, long)
    assert verdicts(comparison)["fallbacks"] is Verdict.SAME
    assert remarks(comparison) == {"other-samples"}


NO_ENERGY = {"mean": None, "cpu": None, "radio": None, "idle": None, "source": None}


def test_energy_that_nobody_knows_is_no_regression_and_no_clash_of_sources() -> None:
    without = summary(energy_mj=NO_ENERGY)
    assert verdicts(against(without))["energy_mj.mean"] is Verdict.GONE
    assert verdicts(against(summary(), without))["energy_mj.mean"] is Verdict.NEW
    assert verdicts(against(without, without))["energy_mj.mean"] is Verdict.UNKNOWN
    assert not against(without).regressions


@pytest.mark.parametrize(
    "place", ["accuracy", "host_agreement", "cycles__device_total", "payload_bytes__mean"]
)
def test_a_required_figure_that_vanished_is_a_regression(place: str) -> None:
    key = place.replace("__", ".")
    comparison = against(summary(**{place: None}))
    assert regressed(comparison) == [key]
    assert verdicts(comparison)[key] is Verdict.MISSING


def test_the_hosts_clock_never_regresses_and_it_says_why() -> None:
    slow = {"latency_ms__mean": 50.0, "latency_ms__remote": 47.0, "throughput__host_per_s": 1.0}
    slow |= {"cycles__device_total": 1e7, "energy_mj__mean": 9.0, "energy_mj__idle": 8.0}
    comparison = against(timed_by_the_host(**slow), timed_by_the_host())
    assert not comparison.regressions
    assert remarks(comparison) == {"wall-clock"}
    found = verdicts(comparison)
    assert {key for key, verdict in found.items() if verdict is Verdict.WALL_CLOCK} == {
        "latency_ms.mean", "latency_ms.p50", "latency_ms.p95", "latency_ms.p99", "latency_ms.remote",
        "cycles.device_total", "energy_mj.mean", "energy_mj.radio", "energy_mj.idle", "energy_mj.peripherals",
        "throughput.host_per_s",
    }  # fmt: skip


def test_what_the_device_alone_takes_is_judged_all_the_same() -> None:
    slow = timed_by_the_host(latency_ms__local=0.9, energy_mj__cpu=0.4)
    assert regressed(against(slow, timed_by_the_host())) == ["latency_ms.local", "energy_mj.cpu"]


def test_different_sources_are_refused() -> None:
    with pytest.raises(
        UsageError, match=r"latency_ms\.local is twin_instructions against renode_instr"
    ) as caught:
        against(on_renode())
    assert "--across-sources" in caught.value.hint
    assert "--only" in caught.value.hint
    with pytest.raises(UsageError, match="measured_host"):
        against(timed_by_the_host())


def test_different_sources_are_compared_when_asked() -> None:
    comparison = against(on_renode(latency_ms__local=0.9), across_sources=True)
    assert regressed(comparison) == ["latency_ms.local"]
    assert remarks(comparison) == {"other-board", "across-sources"}


def test_what_is_counted_needs_no_permission() -> None:
    comparison = against(on_renode(accuracy=0.5), groups=("accuracy", "memory", "payload"))
    assert regressed(comparison) == ["accuracy"]
    assert remarks(comparison) == {"other-board"}


def test_other_conditions_are_told() -> None:
    other = summary(scheme="spinn", radio="ble-270k", seed=1, provenance__bundle__sha256="cd" * 32)
    comparison = against(other)
    assert remarks(comparison) == {"other-scheme", "other-radio", "other-seed", "other-bundle"}
    texts = [remark.message for remark in comparison.remarks]
    assert "different radio: wifi-6m against ble-270k" in texts


def test_a_run_that_is_not_valid_says_why() -> None:
    issue = {"code": "disagreement", "message": "3 samples differ", "hint": ""}
    comparison = against(summary(valid=False, issues=[issue], host_agreement=0.97))
    assert regressed(comparison) == ["valid", "host_agreement"]
    assert comparison.remarks[0].message == "the other run is not valid: 3 samples differ"
    assert not against(summary(), summary(valid=False)).regressions


def test_to_have_ended_early_is_told_but_no_fault_of_the_figures() -> None:
    issue = {"code": "partial", "message": "interrupted", "hint": ""}
    early = {"partial": True, "valid": False, "samples": 40}
    comparison = against(summary(**early, issues=[issue]))
    assert not comparison.regressions
    assert remarks(comparison) == {"other-samples", "partial"}
    failed = {"code": "failed-samples", "message": "1 failed", "hint": ""}
    assert regressed(against(summary(**early, issues=[issue, failed]))) == ["valid"]


@pytest.mark.parametrize(
    "oddity",
    [
        {"cycles__per_layer": None},
        {"cycles__per_layer": [None, 3, {}]},
        {"latency_ms": None},
        {"issues": 3},
        {"issues": [{"code": []}]},
        {"provenance": None},
        {"samples": 0},
        {"accuracy": "much"},
        {"accuracy": 10**400},
        {"memory__flash_bytes": float("nan")},
    ],
)
def test_an_odd_summary_breaks_nothing(oddity: dict[str, Any]) -> None:
    against(summary(**oddity), across_sources=True)
    against(summary(), summary(**oddity), across_sources=True)


def figure(value: float | None) -> Figure:
    return Figure("accuracy", "accuracy", "accuracy", Unit.SHARE, value)


@pytest.mark.parametrize(
    ("rule", "b", "verdict"),
    [
        (Rule(Better.LOWER), 100.0 + 1e-8, Verdict.SAME),
        (Rule(Better.LOWER), 100.1, Verdict.WORSE),
        (Rule(Better.LOWER, relative=0.05), 105.0, Verdict.WITHIN),
        (Rule(Better.LOWER, relative=0.05), 105.1, Verdict.WORSE),
        (Rule(Better.LOWER, relative=0.05, absolute=10), 110.0, Verdict.WITHIN),
        (Rule(Better.LOWER, relative=0.05), 94.0, Verdict.BETTER),
        (Rule(Better.HIGHER, absolute=1), 98.0, Verdict.WORSE),
        (Rule(Better.HIGHER, absolute=1), 102.0, Verdict.BETTER),
        (Rule(Better.SAME), 99.0, Verdict.WORSE),
        (Rule(Better.SAME), 101.0, Verdict.WORSE),
        (Rule(Better.SAME, absolute=1), 101.0, Verdict.WITHIN),
        (Rule(Better.NONE), 1.0, Verdict.SHOWN),
    ],
)
def test_a_rule_has_a_direction_and_an_allowance(rule: Rule, b: float, verdict: Verdict) -> None:
    assert judge(figure(100.0), figure(b), rule) is verdict


values = st.floats(-1e9, 1e9)


@given(values, values, st.sampled_from([Better.LOWER, Better.HIGHER]), st.floats(0, 1), st.floats(0, 100))
def test_never_worse_in_both_directions(
    a: float, b: float, better: Better, relative: float, absolute: float
) -> None:
    rule = Rule(better, relative, absolute)
    there, back = judge(figure(a), figure(b), rule), judge(figure(b), figure(a), rule)
    assert not {there, back} <= REGRESSIONS
    assert there is not Verdict.WORSE or back in (Verdict.BETTER, Verdict.WITHIN)
