"""Thresholds: the defaults cover all figures, and a user's file lies over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import UsageError
from hil.paths import REPOSITORY
from hil.report.figures import GROUPS, figures, known_keys
from hil.report.thresholds import SETTINGS, Better, Rule, Thresholds, load
from hil_tests.unit.report.summaries import summary

PAGE = (REPOSITORY / "docs" / "compare.md").read_text()


def over(tmp_path: Path, text: str) -> Thresholds:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    return load(file)


def test_the_defaults_have_a_direction_for_all_but_what_is_only_shown() -> None:
    rules = load()
    aside = {key for key in figures(summary()) if rules.rule(key).better is Better.NONE}
    assert aside == {"float_accuracy", "throughput.host_per_s"}
    higher = {key for key in figures(summary()) if rules.rule(key).better is Better.HIGHER}
    assert higher == {"valid", "accuracy", "host_agreement"}


def test_the_page_names_every_group_setting_and_figure() -> None:
    for name in (*GROUPS, *SETTINGS, *Better, *known_keys()):
        assert f"`{name}`" in PAGE, name


def test_the_more_special_table_wins_setting_by_setting(tmp_path: Path) -> None:
    rules = over(
        tmp_path,
        """
        [latency_ms]
        relative = 0.5
        [latency_ms.p95]
        absolute = 9
        [cycles.per_layer.stem.depthwise]
        better = "none"
        """,
    )
    assert rules.rule("latency_ms.p50") == Rule(Better.LOWER, 0.5, 0.005)
    assert rules.rule("latency_ms.p95") == Rule(Better.LOWER, 0.5, 9.0)
    assert rules.rule("latency_ms.mean").required
    assert rules.rule("cycles.per_layer.stem.depthwise").better is Better.NONE
    assert rules.rule("cycles.per_layer.stem.pointwise").better is Better.LOWER


def test_a_users_word_for_a_part_wins_over_the_defaults_for_its_figures(tmp_path: Path) -> None:
    rules = over(tmp_path, "[memory]\nabsolute = 5\n")
    assert rules.rule("memory.flash_bytes").absolute == 5.0
    everything = over(tmp_path, 'better = "none"\n')
    assert all(everything.rule(key).better is Better.NONE for key in known_keys())


def test_the_larger_allowance_counts() -> None:
    assert Rule(relative=0.1, absolute=5).allowance(-100.0) == 10.0
    assert Rule(relative=0.1, absolute=5).allowance(10.0) == 5.0


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[latency", "is no TOML", "for its form see"),
        (
            "[latency_mss]\nrelative = 1",
            "unknown figure in mine.toml 'latency_mss'",
            "did you mean 'latency_ms",
        ),
        ("[energy_mj.cpuu]\nrelative = 1", "unknown figure", "did you mean 'energy_mj.cpu'"),
        ("[latency_ms]\nrelativ = 1", "unknown threshold setting 'latency_ms.relativ'", "relative"),
        ("accuracy = 1", "unknown threshold setting 'accuracy'", "better"),
        ("[latency_ms]\nrelative = -1", "latency_ms.relative is -1", "0 or more"),
        ("[latency_ms]\nrelative = nan", "latency_ms.relative is nan", "0 or more"),
        ("[latency_ms]\nrelative = true", "latency_ms.relative is True", "0 or more"),
        ("[latency_ms]\nrelative = '1 %'", "latency_ms.relative is '1 %'", "0 or more"),
        ("[latency_ms]\nrequired = 1", "latency_ms.required is 1", "true or false"),
        ("[latency_ms]\nbetter = 'lover'", "unknown latency_ms.better = 'lover'", "did you mean 'lower'?"),
        ("[latency_ms]\nbetter = ['lower']", "unknown latency_ms.better", "valid: "),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        over(tmp_path, text)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the thresholds"):
        load(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="cannot read the thresholds"):
        load(tmp_path)
