"""Waiting for a larger batch pays where requests come faster than a batch costs."""

from __future__ import annotations

import pytest

from hil.server.pace import Pace


def paced(gap_s: float, fixed_s: float = 0.002, each_s: float = 0.0001) -> Pace:
    """After some requests and batches of several sizes."""
    pace = Pace()
    for at in range(50):
        pace.arrived(at * gap_s)
    for count in (1, 4, 2, 8, 3, 16):
        pace.inferred(count, fixed_s + each_s * count)
    return pace


def test_what_a_batch_costs_beyond_its_members_is_learnt():
    assert paced(1).fixed_s == pytest.approx(0.002, rel=0.01)


def test_batches_of_one_size_tell_no_more_than_their_time():
    pace = Pace()
    for _ in range(10):
        pace.inferred(4, 0.01)
    assert 0 < pace.fixed_s <= 0.01


def test_a_batch_waits_for_the_next_one_only_when_that_is_near():
    dense, last_s = paced(0.0005), 49 * 0.0005
    assert dense.patience_s(1, last_s) == pytest.approx(4 * 0.0005)
    assert dense.patience_s(1, last_s + 0.001) == pytest.approx(dense.patience_s(1, last_s) - 0.001)
    assert dense.patience_s(1, last_s + 0.003) == 0, "it is not coming"
    assert dense.patience_s(8, last_s) == 0, "eight would wait for one"
    assert paced(0.01).patience_s(1, 49 * 0.01) == 0


def test_who_knows_nothing_does_not_wait():
    assert Pace().patience_s(1, 0.0) == 0


def test_the_first_after_a_silence_does_not_wait_however_dense_the_requests_were_before():
    pace = paced(0.0001)
    assert pace.patience_s(1, 49 * 0.0001) > 0
    pace.arrived(60.0)
    assert pace.patience_s(1, 60.0) == 0
