"""Faults as text: `frame-loss`, `frame-loss:at=5-8`, `server-slow:rate=0.2,ms=900`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from hil.errors import UsageError, unknown_name
from hil.faults import registry
from hil.faults.kind import Kind
from hil.faults.when import When

T = TypeVar("T")

DEFAULT_AT: Final = "50%"
_COMMON: Final = ("at", "rate")
_EXAMPLE: Final = "for example frame-loss:at=5-8,frames=2; `--inject list` has all"


@dataclass(frozen=True)
class Ordered:
    """One `--inject`."""

    text: str
    kind: Kind
    when: When
    settings: Mapping[str, Any]
    """The value of every setting of the kind."""


def parse_fault(text: str) -> Ordered:
    """The fault that `text` orders. Raises UsageError, saying which part is wrong and what is valid."""
    name, _, rest = text.partition(":")
    kind = registry.get(name.strip())
    given = _given(kind, rest)
    settings = {
        setting.name: _value(kind, setting.name, given[setting.name], setting.parse)
        if setting.name in given
        else setting.default
        for setting in kind.settings
    }
    return Ordered(text, kind, _when(kind, given), settings)


def _given(kind: Kind, text: str) -> dict[str, str]:
    valid = (*_COMMON, *(setting.name for setting in kind.settings))
    given: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise UsageError(f"setting {part!r} of {kind.name} has no value", _EXAMPLE)
        if key not in valid:
            raise unknown_name(f"setting of {kind.name}", key, valid)
        if key in given:
            raise UsageError(f"setting {key!r} of {kind.name} is given twice", _EXAMPLE)
        given[key] = value
    return given


def _when(kind: Kind, given: Mapping[str, str]) -> When:
    if "at" in given and "rate" in given:
        raise UsageError(f"{kind.name} has both at= and rate=", "name the samples, or give each a chance")
    if "rate" in given:
        return _value(kind, "rate", given["rate"], When.by_chance)
    return _value(kind, "at", given.get("at", DEFAULT_AT), When.at)


def _value(kind: Kind, name: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"{name}={text!r} of {kind.name} is not valid", f"valid: {error}") from None
