"""Instructions as cycles by the twin's model, beside what was counted."""

from __future__ import annotations

import pytest

from hil.measure.modelled import modelled_latency
from hil.measure.source import Source
from hil.session.events import LatencyParts

PARTS = [LatencyParts(1.0, 2.0, 3.0, 0.5, 6.5), LatencyParts(3.0, 2.0, 5.0, 0.5, 10.5)]


def test_the_devices_own_stages_are_scaled() -> None:
    modelled = modelled_latency(PARTS, Source.RENODE_INSTRUCTIONS)
    assert modelled is not None
    ratio = modelled["cycles_per_instruction"]
    assert modelled["local"] == pytest.approx(2.0 * ratio)
    assert modelled["fuse"] == pytest.approx(0.5 * ratio)
    assert modelled["mean"] == pytest.approx(2.5 * ratio + 6.0)
    assert modelled["source"] == "modelled"


def test_cycles_need_no_model() -> None:
    assert modelled_latency(PARTS, Source.TWIN_INSTRUCTIONS) is None
    assert modelled_latency([], Source.RENODE_INSTRUCTIONS) is None
