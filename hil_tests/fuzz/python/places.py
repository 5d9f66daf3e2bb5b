"""A value in the middle of a JSON document, replaced by another one, as a hostile hand would."""

from __future__ import annotations

import copy
import json
from typing import Any

VALUES: tuple[Any, ...] = (
    None, True, 0, 1, -1, 2, 3, 7, 255, 256, 65_536, 10**6, 2**31, 2**63, 10**30, -(10**30), 0.5, 1e308,
    float("nan"), float("inf"), "", "x", "planes", "rows", "none", "lzw", "range", "huffman", "lz4",
    "context", "agilenn", "mcunet", "digits", [], {}, [0], [1, 2, 3], [[]], ["x"], {"x": 1}, "/etc/passwd",
    "\u0000\u001b[2J", [0.0] * 300, [1.0, float("nan")],
)  # fmt: skip


def changed(document: Any, steps: bytes) -> Any:
    """`document` with a change for every two bytes of `steps`: where, and what."""
    document = copy.deepcopy(document)
    for where, what in zip(steps[::2], steps[1::2], strict=False):
        places = _places(document)
        if not places:
            break
        holder, key = places[where % len(places)]
        if what % 16 == 15:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(VALUES[what % len(VALUES)])
    return document


def _places(value: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))[:8]
    found = [(value, key) for key in keys]
    for key in keys:
        found += _places(value[key])
    return found


def nested(depth: int) -> str:
    """JSON that is deeper than most readers go."""
    return "[" * depth + "]" * depth


def as_text(document: Any) -> str:
    return json.dumps(document)
