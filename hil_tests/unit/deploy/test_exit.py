"""The exit rule in integers is the paper's: top-1 softmax at or above a threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hil_tests import graphs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec.coder import make_coder
from hil.deploy.emit import Model, emit
from hil.deploy.exit import exits, make_exit
from hil.deploy.graph import Tensor
from hil.deploy.lower import plain
from hil.deploy.plan import buffers_of, plan
from hil.deploy.program import DeviceHalf
from hil.errors import BundleError

LOGITS = npst.arrays(np.int8, st.integers(1, 255))


def logits_of(classes: int, scale: float = 0.05) -> Tensor:
    return Tensor("logits", (1, 1, classes), scale, -3)


@given(LOGITS, st.floats(1e-4, 1.0), st.floats(0, 1, exclude_min=True))
def test_it_exits_where_the_top_softmax_reaches_the_threshold(
    logits: NDArray[np.int8], scale: float, confidence: float
) -> None:
    powers = np.exp(scale * (logits.astype(float) - logits.max()))
    softmax = 1 / powers.sum()
    assume(abs(softmax - confidence) > 1e-4 * confidence)
    assert exits(make_exit(confidence, logits_of(len(logits), scale)), logits) == (softmax >= confidence)


@given(LOGITS, st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_a_lower_threshold_lets_no_fewer_exit(logits: NDArray[np.int8], one: float, other: float) -> None:
    low, high = sorted((one, other))
    tensor = logits_of(len(logits))
    assert exits(make_exit(low, tensor), logits) >= exits(make_exit(high, tensor), logits)


def test_the_sum_over_most_classes_fits_32_bits() -> None:
    rule = make_exit(1e-9, logits_of(255))
    assert rule.limit == 2**32 - 1
    assert int(rule.exponentials[0]) * 255 < 2**32
    assert exits(rule, np.zeros(255, np.int8))


@pytest.mark.parametrize("confidence", [0.0, -0.5, 1.01, float("nan")])
def test_a_threshold_that_is_no_share_is_refused(confidence: float) -> None:
    with pytest.raises(BundleError, match="exit confidence"):
        make_exit(confidence, logits_of(10))


def test_too_many_classes_are_refused() -> None:
    with pytest.raises(BundleError, match="256 classes"):
        make_exit(0.5, logits_of(256))


@settings(max_examples=5, deadline=None)
@given(case=graphs.OPERATORS["convolution"])
def test_the_rule_is_emitted_and_nothing_where_there_is_none(case: graphs.Case) -> None:
    graph = replace(case.graph, feature=case.graph.ops[-1].output)
    coder = make_coder(PayloadFormat(0, 2, 4, 5, (0.0, 1.0, 2.0), "none"), {})
    program = plain(DeviceHalf(graph, coder))
    model = Model(program, plan(buffers_of(program)), 1, bytes(32), None)
    assert ".exit = {NULL, 0}," in emit(model)
    assert "hil_exit_table" not in emit(model)
    rule = make_exit(0.75, logits_of(10))
    text = emit(replace(model, exit=rule))
    assert f".exit = {{hil_exit_table, {rule.limit}U}}," in text
    assert f"hil_exit_table[256] = {{\n    {rule.exponentials[0]}, {rule.exponentials[1]}," in text
