"""`--inject` as text."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import UsageError
from hil.faults import plan
from hil.faults.parse import parse_fault
from hil.faults.registry import KINDS
from hil.faults.when import When


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_ordered_by_its_name_alone(kind: str) -> None:
    ordered = parse_fault(kind)
    assert set(ordered.settings) == {setting.name for setting in ordered.kind.settings}
    assert ordered.when.samples(9, Random(0)) == {4}, "half-way, unless told otherwise"


@pytest.mark.parametrize("kind", KINDS)
def test_every_default_is_what_its_own_text_means(kind: str) -> None:
    for setting in KINDS[kind].settings:
        assert setting.parse(f"{setting.default}") == setting.default


@pytest.mark.parametrize(
    ("text", "hit"),
    [("5", {5}), ("5-8", {5, 6, 7, 8}), ("3+7+9", {3, 7, 9}), ("50%", {5}), ("0+50%+8-9", {0, 5, 8, 9})],
)
def test_samples_are_named_one_by_one_in_stretches_or_as_shares(text: str, hit: set[int]) -> None:
    assert When.at(text).samples(10, Random(0)) == hit


@given(st.floats(0.01, 1.0), st.integers(0, 2**32))
def test_a_rate_hits_the_same_samples_with_the_same_seed(rate: float, seed: int) -> None:
    when = When.by_chance(repr(rate))
    assert when.samples(50, Random(seed)) == when.samples(50, Random(seed))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("frame-los", "did you mean 'frame-loss'"),
        ("frame-loss:frme=ack", "did you mean 'frame'"),
        ("frame-loss:frame=acks", "valid: any, input"),
        ("frame-loss:frames=0", "valid: whole numbers 1"),
        ("frame-loss:frames", "has no value"),
        ("frame-loss:at=8-5", "valid: samples from 0"),
        ("frame-loss:at=150%", "valid: samples from 0"),
        ("frame-loss:rate=0", "valid: the chance"),
        ("frame-loss:rate=nan", "valid: the chance"),
        ("frame-loss:at=1,at=2", "given twice"),
        ("frame-loss:at=1,rate=0.5", "both at= and rate="),
        ("frame-loss:at=10", "valid: 0 to 9"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_valid(text: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        plan.check([text], 10)
    assert says in str(raised.value)
