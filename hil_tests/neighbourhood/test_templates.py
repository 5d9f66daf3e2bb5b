"""A sample of every neighbourhood, what full runs have found, and mutants that have to be found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hil.deploy.kernels import cmsis, depthwise
from hil.errors import ToolchainError
from hil.neighbourhood.minimise import minimise
from hil.neighbourhood.sample import instance
from hil.neighbourhood.score import Score, score
from hil.neighbourhood.template import Context, Template, Where
from hil_tests.neighbourhood import firmware, image
from hil_tests.neighbourhood.templates import TEMPLATES
from hil_tests.unit.mcu.harness import host_compiler

BY_NAME = {template.name: template for template in TEMPLATES}

FOUND: dict[str, tuple[str, dict[str, Any]]] = {
    "more padding than kernel": (
        "depthwise",
        {"channels": 20, "kernel_height": 2, "height": 2, "padding_height": 3, "zero_in": -24},
    ),
    "more padding than kernel, in several rows": (
        "depthwise",
        {"channels": 19, "kernel_height": 2, "padding_height": 3, "width": 9, "kernel_width": 4},
    ),
    "logits that are sent": ("graph", {"ops": 1, "channels": 2, "codec": "lzw", "data": 438434218}),
    "weights that vanish beside their bias": (
        "quantising",
        {"weights": "one vanishing", "data": 3829133964},
    ),
    "weights that vanish in a dense layer": (
        "quantising",
        {"kind": "dense", "weights": "tiny", "bias": "large", "magnitude": -3, "outputs": 4, "data": 1},
    ),
    "shares that float64 does not hold": (
        "outage",
        {"unit": "shares", "samples": 10, "begin": 8, "length": 57},
    ),
    "a tensor without axes": ("bundle", {"tensors": 8, "data": 1571708936}),
}
"""By what was wrong: a template, and the parameters that are not at rest; more in docs/neighbourhood.md."""


def needs(template: Template) -> None:
    """Skips where a compiler is missing."""
    if template.where is Where.HOST:
        if firmware.HARNESS[0] in template.sources and host_compiler() is None:
            pytest.skip("no C compiler for this machine")
        return
    try:
        image.toolchain()
    except ToolchainError as error:
        pytest.skip(str(error))


def marked(template: Template) -> Any:
    marks = () if template.where is Where.HOST else (pytest.mark.twin,)
    return pytest.param(template, marks=marks, id=template.name)


@pytest.mark.parametrize("template", [marked(template) for template in TEMPLATES])
def test_a_sample_of_every_neighbourhood_passes(template: Template) -> None:
    needs(template)
    instances = [instance(template, 0, index) for index in range(template.sample)]
    verdicts = template.judge(instances, Context())
    failed = [
        (one, verdict.detail) for one, verdict in zip(instances, verdicts, strict=True) if not verdict.passed
    ]
    assert not failed


@pytest.mark.twin
@pytest.mark.parametrize("what", FOUND)
def test_what_a_full_run_found_stays_right(what: str) -> None:
    name, essential = FOUND[what]
    template = BY_NAME[name]
    needs(template)
    (verdict,) = template.judge([template.simplest | essential], Context())
    assert verdict.passed, verdict.detail


def _one_column_less(layer: Callable[..., dict[str, int]]) -> Callable[..., dict[str, int]]:
    """A mutant of hil's depthwise kernels: where two columns are padded, it pads one."""

    def mutant(*arguments: Any) -> dict[str, int]:
        made = layer(*arguments)
        return made | {"pad_left": 1} if made["pad_left"] == 2 else made

    return mutant


@pytest.mark.twin
def test_a_mutant_kernel_is_almost_all_and_its_padding_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    template = BY_NAME["own-depthwise"]
    needs(template)
    monkeypatch.setattr(depthwise, "_layer", _one_column_less(depthwise._layer))
    instances = [instance(template, 5, index) for index in range(60)]
    verdicts = template.judge(instances, Context())
    failing = [one for one, verdict in zip(instances, verdicts, strict=True) if not verdict.passed]
    assert score(len(instances) - len(failing), len(instances)) is Score.ALMOST_ALL
    assert {one["padding_width"] for one in failing} == {2}
    found = minimise(template, failing[0], Context())
    assert found.essential.keys() - {"data"} <= {"padding_width", "zero_in", "width"}
    assert found.essential["padding_width"] == 2


@pytest.mark.twin
def test_a_mutant_clamp_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    template = BY_NAME["convolution"]
    needs(template)
    text = cmsis._clamp_text
    monkeypatch.setattr(cmsis, "_clamp_text", lambda bounds: text((bounds[0], min(bounds[1], 126))))
    verdicts = template.judge([instance(template, 0, index) for index in range(16)], Context())
    assert any(not verdict.passed for verdict in verdicts)


def test_there_are_at_least_twelve_questions_and_a_full_run_has_ten_thousand_instances() -> None:
    assert len(BY_NAME) == len(TEMPLATES) >= 12
    assert sum(template.full for template in TEMPLATES) >= 10_000
