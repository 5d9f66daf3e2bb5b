"""JSON and TOML from a file that may be anybody's."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any, Final

DEPTH_MAX: Final = 64
"""Objects and lists within each other. What walks through a document calls itself as often."""
_TOO_DEEP: Final = "it is nested too deeply"


def json_of(text: str | bytes) -> Any:
    """The value in `text`. Raises ValueError for anything else, and where it is too deep."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    return _shallow(value)


def toml_of(text: str) -> dict[str, Any]:
    """The document in `text`. Raises ValueError for anything else, and where it is too deep."""
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _shallow(document)
    return document


def _shallow(value: Any) -> Any:
    """`value`. Raises ValueError unless it is at most `DEPTH_MAX` deep."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return value
    raise ValueError(_TOO_DEEP)


def _within(value: Any) -> list[Any]:
    """The objects and lists right in `value`."""
    if isinstance(value, Mapping):
        value = list(value.values())
    return [inner for inner in value if isinstance(inner, Mapping | list)] if isinstance(value, list) else []
