"""Parts of a JSON document that may be anybody's: what has another type than it should is not there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


def inner(document: Document, key: str) -> Document:
    """The object called `key`; an empty one for anything else."""
    value = document.get(key)
    return value if isinstance(value, Mapping) else {}


def number(value: Any) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def items(value: Any) -> list[Document]:
    """The objects in a list; none where it is no list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def numbers(document: Document) -> dict[str, float]:
    """The entries that are numbers, by name."""
    found = {str(key): number(value) for key, value in document.items()}
    return {key: value for key, value in found.items() if value is not None}


def finite(value: Any) -> Any:
    """The same document without what JSON cannot hold: NaN and infinities become null."""
    if isinstance(value, Mapping):
        return {str(key): finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
