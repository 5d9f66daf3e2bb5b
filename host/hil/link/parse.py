"""Radios as text: `wifi-6m`, `wifi-6m:loss=0.1,burst=4,outage=40%+20%`, `custom:bandwidth=1M,latency=2ms`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from hil.errors import UsageError, unknown_name
from hil.link.losses import shortest_burst
from hil.link.outage import Outage
from hil.link.presets import RADIOS
from hil.link.radio import Currents, Radio

_NUMBER = re.compile(r"([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*([a-zA-Z%/]*)")
_TIME = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_RATE = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_OUTAGE = re.compile(r"([0-9]+|[0-9]*\.?[0-9]+%)\+([0-9]+|[0-9]*\.?[0-9]+%)")
_EXAMPLE = "for example custom:bandwidth=1M,latency=2ms,jitter=1ms,loss=0.05"


def parse_radio(text: str) -> Radio:
    """The radio that `text` names. Raises UsageError, saying which part is wrong and what is valid."""
    base, _, settings = text.partition(":")
    if base not in RADIOS and base != "custom":
        raise unknown_name("radio", base, [*RADIOS, "custom:…"])
    given = _settings(settings)
    if base == "custom":
        if "bandwidth" not in given:
            raise UsageError("a custom radio needs a bandwidth", _EXAMPLE)
        return _apply(Radio(text, bandwidth_bps=1.0), given)
    if not given:
        return RADIOS[base]
    if RADIOS[base].instant:
        raise UsageError("the radio 'none' takes no settings", _EXAMPLE)
    return _apply(replace(RADIOS[base], name=text), given)


def with_settings(text: str, settings: Mapping[str, str]) -> str:
    """The radio `text` with more settings, which `parse_radio` checks; itself where there are none."""
    more = ",".join(f"{name}={value}" for name, value in settings.items())
    return f"{text}{',' if ':' in text else ':'}{more}" if more else text


def _settings(text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise UsageError(f"radio setting {part!r} has no value", _EXAMPLE)
        if key not in (*_PARSERS, "outage"):
            raise unknown_name("radio setting", key, (*_PARSERS, "outage"))
        if key in given:
            raise UsageError(f"radio setting {key!r} is given twice", _EXAMPLE)
        given[key] = value
    return given


def _apply(radio: Radio, given: dict[str, str]) -> Radio:
    values = {key: _PARSERS[key](key, value) for key, value in given.items() if key != "outage"}
    fields: dict[str, object] = {_FIELDS[key]: value for key, value in values.items() if key in _FIELDS}
    for key in ("mtu", "overhead", "tries"):
        if key in values:
            fields[_FIELDS[key]] = int(values[key])
    if "burst" in values:
        _check_burst(values["burst"], values.get("loss", radio.loss))
    if "outage" in given:
        fields["outage"] = _outage(given["outage"])
    return replace(radio, currents=_currents(radio.currents, values), **fields)  # type: ignore[arg-type]


def _check_burst(burst: float, loss: float) -> None:
    if not 0 < loss < 1:
        raise UsageError(
            f"bursts of losses, and a loss of {loss:g}",
            "give both, for example loss=0.1,burst=4; no burst where all is lost",
        )
    if burst < (least := shortest_burst(loss)) * (1 - 1e-9):
        raise UsageError(
            f"radio setting burst={burst:g} is out of range",
            f"by chance alone a loss of {loss:g} makes {least:.3g} in a row; valid: that or more",
        )


def _outage(text: str) -> Outage:
    """`40%+20%`: for 20 % of a run's samples, from 40 % of them on; `40+20`: in samples."""
    parts = match.groups() if (match := _OUTAGE.fullmatch(text.replace(" ", ""))) else ()
    shares = [part.endswith("%") for part in parts]
    if not parts or shares[0] != shares[1]:
        raise UsageError(
            f"radio setting outage={text!r} is no part of a run",
            "its begin and its length, both in samples or both in per cent of them: 40+20 or 40%+20%",
        )
    begin, length = (float(part.rstrip("%")) / (100 if shares[0] else 1) for part in parts)
    if length <= 0 or (shares[0] and begin + length > 1 + 1e-9):
        raise UsageError(
            f"radio setting outage={text} is out of range", "above 0 in length, and within 100 % of the run"
        )
    return Outage(begin, length, shares[0])


def _currents(base: Currents | None, values: dict[str, float]) -> Currents | None:
    """The base's currents with those given; None as long as one of the three is unknown."""
    named = {_CURRENTS[key]: value for key, value in values.items() if key in _CURRENTS}
    if base is not None:
        return replace(base, **named)
    if not named:
        return None
    if missing := [key for key in ("tx", "rx", "idle") if key not in values]:
        raise UsageError(
            f"the radio's currents are incomplete: {', '.join(missing)} missing",
            "give tx, rx and idle in milliamperes, or none of them",
        )
    return Currents(**{"supply_volts": 3.3, **named})


def _quantity(units: dict[str, float]) -> Callable[[str, str], float]:
    def parse(key: str, text: str) -> float:
        match = _NUMBER.fullmatch(text)
        unit = match[2].lower() if match else None
        if match is None or unit not in units:
            written = ", ".join(repr(name) for name in units)
            raise UsageError(
                f"radio setting {key}={text!r} is no quantity", f"a number and a unit: {written}"
            )
        return float(match[1]) * units[unit]

    return parse


def _bounded(parse: Callable[[str, str], float], least: float, most: float) -> Callable[[str, str], float]:
    def check(key: str, text: str) -> float:
        value = parse(key, text)
        if not least <= value <= most:
            raise UsageError(f"radio setting {key}={text} is out of range", f"valid: {least:g} to {most:g}")
        return value

    return check


def _whole(least: int, most: int) -> Callable[[str, str], float]:
    def check(key: str, text: str) -> float:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise UsageError(
                f"radio setting {key}={text!r} is out of range", f"valid: whole numbers {least} to {most}"
            )
        return int(text)

    return check


_BITS = {unit + suffix: factor for unit, factor in _RATE.items() for suffix in ("", "bps", "bit/s")}
_SECONDS = _bounded(_quantity(_TIME), 0.0, 60.0)
_MILLIAMPERES = _bounded(_quantity({"": 1.0, "ma": 1.0, "ua": 1e-3}), 0.0, 5000.0)

_PARSERS: dict[str, Callable[[str, str], float]] = {
    "bandwidth": _bounded(_quantity(_BITS), 100.0, 1e11),
    "latency": _SECONDS,
    "jitter": _SECONDS,
    "loss": _bounded(_quantity({"": 1.0, "%": 0.01}), 0.0, 1.0),
    "burst": _bounded(_quantity({"": 1.0}), 1.0, 1000.0),
    "mtu": _whole(1, 65_535),
    "overhead": _whole(0, 1000),
    "tries": _whole(1, 100),
    "timeout": _SECONDS,
    "tx": _MILLIAMPERES,
    "rx": _MILLIAMPERES,
    "idle": _MILLIAMPERES,
    "sleep": _MILLIAMPERES,
    "volts": _bounded(_quantity({"": 1.0, "v": 1.0}), 0.5, 48.0),
}
_FIELDS = {
    "bandwidth": "bandwidth_bps",
    "latency": "latency_s",
    "jitter": "jitter_s",
    "loss": "loss",
    "burst": "burst",
    "mtu": "mtu_bytes",
    "overhead": "overhead_bytes",
    "tries": "tries",
    "timeout": "timeout_s",
}
_CURRENTS = {"tx": "tx_ma", "rx": "rx_ma", "idle": "idle_ma", "sleep": "sleep_ma", "volts": "supply_volts"}
