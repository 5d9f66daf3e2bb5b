"""Which codec `--codec auto` takes, by what it was measured to cost and by the radio."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hil.deploy.codecs.choose import Cost, Measured, choose, costs
from hil.deploy.codecs.request import Aim, CodecRequest
from hil.errors import UsageError
from hil.link.parse import parse_radio
from hil.report.codecs import as_values, codec_table

HZ = 216_000_000
RAW = Measured("none", "rows", 20_000, 19_456.0, 19_456, 0, 0)
SMALL = Measured("context", "rows", 400_000, 944.0, 8_642, 691, 5_540)
QUICK = Measured("range", "rows", 150_000, 1_200.0, 26_582, 0, 608)


def taken(radio: str, aim: Aim = Aim.LATENCY) -> str:
    return choose(costs((RAW, SMALL, QUICK), parse_radio(radio), HZ), aim).measured.codec


def test_the_slower_the_radio_the_more_a_byte_weighs() -> None:
    assert taken("none") == "none"
    assert taken("wifi-6m") == "range"
    assert taken("ble-270k") == "context"


def test_latency_is_encoding_and_the_undisturbed_uplink() -> None:
    (cost,) = costs((QUICK,), parse_radio("wifi-6m"), HZ)
    assert cost.latency_ms == pytest.approx(1000 * (150_000 / HZ + 0.001 + 8 * (1_200 + 76) / 6e6))


def test_energy_is_modelled_where_the_radio_is_known() -> None:
    assert taken("ble-270k", Aim.ENERGY) == "context"
    assert all(cost.energy_mj for cost in costs((RAW, SMALL), parse_radio("ble-270k"), HZ))


def test_energy_of_a_radio_without_currents_is_not_made_up() -> None:
    unknown = parse_radio("custom:bandwidth=1M,latency=2ms")
    assert costs((RAW,), unknown, HZ)[0].energy_mj is None
    with pytest.raises(UsageError, match="no energy model"):
        choose(costs((RAW, SMALL), unknown, HZ), Aim.ENERGY)


def test_of_equal_costs_fewer_bytes_win() -> None:
    cheap, dear = (Cost(one, 1.0, None) for one in (SMALL, RAW))
    assert choose((dear, cheap), Aim.LATENCY) is cheap


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"codec": "zip"}, "unknown codec 'zip'"),
        ({"codec": "auto", "aim": "speed"}, "unknown aim 'speed'"),
        ({"codec": "range", "aim": "energy"}, "--codec-for says what --codec auto chooses by"),
        ({"aim": "energy"}, "--codec-for says what --codec auto chooses by"),
        ({"codec": "auto", "radio": "wifi-7"}, "unknown radio"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(request_: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        CodecRequest(**request_)


def test_the_table_marks_what_was_taken() -> None:
    candidates = costs((RAW, SMALL), parse_radio("wifi-6m"), HZ)
    console = Console(width=100, file=io.StringIO())
    with console.capture() as shown:
        console.print(codec_table(candidates, candidates[1], "wifi-6m"))
    text = shown.get()
    (line,) = (line for line in text.splitlines() if "context" in line)
    assert "*" in line
    assert "400,000" in line
    assert [value["chosen"] for value in as_values(candidates, candidates[1])] == [False, True]
