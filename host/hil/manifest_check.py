"""Whether a manifest says what a manifest can say: its types and its sizes.

A bundle may be anybody's, and what it announces is allocated and looped over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hil.bundle import InputFormat, Manifest, PayloadFormat

SIDE_MAX: Final = 1024
"""Rows, columns and channels of any map."""
SYMBOLS_MAX: Final = 1 << 20
"""Of a payload, and values of an input: four times the RAM of any board here."""
CLASSES_MAX: Final = 65_535
LIST_MAX: Final = 256
IN_LIST_MAX: Final = 4096
"""A network's stages are rows of numbers, one of which says how many layers there are."""
_NAME_MAX: Final = 100


def complaint(manifest: Manifest) -> str:
    """What is wrong with `manifest`; empty if nothing is."""
    return next(_complaints(manifest), "")


def _complaints(manifest: Manifest) -> Iterator[str]:
    for name in ("scheme", "dataset"):
        if not _is_name(getattr(manifest, name)):
            yield f"{name} is no name"
    if not _is_count(manifest.classes, 1, CLASSES_MAX):
        yield f"classes is {_shown(manifest.classes)}"
    if not _is_count(manifest.seed, 0, 1 << 63):
        yield f"seed is {_shown(manifest.seed)}"
    if not _is_share(manifest.alpha):
        yield f"alpha is {_shown(manifest.alpha)}"
    if manifest.exit_confidence is not None and not _is_share(manifest.exit_confidence):
        yield f"exit_confidence is {_shown(manifest.exit_confidence)}"
    config: object = manifest.config
    if not isinstance(config, Mapping):
        yield "config is no object"
    elif not all(map(_is_setting, config.values())):
        yield f"config has a list of more than {LIST_MAX}, or a number in one above {IN_LIST_MAX}"
    metrics = manifest.metrics
    if not isinstance(metrics, Mapping) or not all(map(_is_number, metrics.values())):
        yield "metrics are no numbers"
    yield from _of_input(manifest.input)
    if manifest.payload is not None:
        yield from _of_payload(manifest.payload)


def _of_input(form: InputFormat) -> Iterator[str]:
    yield from _sides("input", form, ("height", "width", "channels", "upscale"))
    for name in ("mean", "std"):
        values = getattr(form, name)
        if not all(map(_is_number, values)) or len(values) not in (1, form.channels):
            yield f"input.{name} is no number for every channel"
    if not all(value > 0 for value in form.std):
        yield "input.std is not positive"
    if form.height * form.width * form.channels > SYMBOLS_MAX:
        yield "the input is larger than any board"


def _of_payload(form: PayloadFormat) -> Iterator[str]:
    yield from _sides("payload", form, ("height", "width", "channels"))
    if not _is_count(form.channel_begin, 0, SIDE_MAX):
        yield f"payload.channel_begin is {_shown(form.channel_begin)}"
    if form.symbols > SYMBOLS_MAX:
        yield "the payload is larger than any board"
    centroids = form.centroids
    if not 1 <= len(centroids) <= 256 or not all(map(_is_number, centroids)):
        yield "payload.centroids are not 1 to 256 numbers"
    elif any(one > other for one, other in pairwise(centroids)):
        yield "payload.centroids do not ascend"
    if not _is_name(form.codec) or not _is_name(form.order) or not isinstance(form.progressive, bool):
        yield "payload.codec, .order or .progressive is none"


def _sides(part: str, form: object, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if not _is_count(getattr(form, name), 1, SIDE_MAX):
            yield f"{part}.{name} is {_shown(getattr(form, name))}"


def _is_count(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _is_number(value: Any) -> bool:
    if type(value) is int:
        return abs(value) <= 1 << 53
    return isinstance(value, float) and math.isfinite(value)


def _is_setting(value: Any, within: bool = False) -> bool:
    """Whether a list, which may say how often layers are repeated, keeps within bounds; all else may be."""
    if isinstance(value, Mapping):
        return all(_is_setting(each, within) for each in value.values())
    if isinstance(value, list):
        return len(value) <= LIST_MAX and all(_is_setting(each, True) for each in value)
    return not within or not isinstance(value, int | float) or value <= IN_LIST_MAX


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _NAME_MAX and value.isprintable()


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
