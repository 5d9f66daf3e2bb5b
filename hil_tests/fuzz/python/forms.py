"""Payload formats with tables, for the targets that pack and unpack."""

from __future__ import annotations

from functools import lru_cache

from hil.codec.coder import Coder
from hil_tests.unit.codec.payloads import NAMES, coder_of, form_for, form_of

_SHAPES = ((1, 1, 1), (3, 4, 5), (2, 7, 9), (5, 3, 16), (8, 6, 10))
_ALPHABETS = (2, 5, 16, 256)
HEAD = 2
"""Bytes of an input that name a coder."""


@lru_cache(maxsize=512)
def _coder(name: str, shape: tuple[int, int, int], alphabet: int, order: str, seed: int) -> Coder:
    form = form_of(*shape, alphabet, order=order) if name != "context" else form_for(name, *shape, alphabet)
    return coder_of(name, form, seed)


def coder(head: bytes) -> Coder:
    """Any coder, by two bytes."""
    one, other = head[0], head[1]
    name, order = NAMES[one % len(NAMES)], ("planes", "rows")[one // len(NAMES) % 2]
    shape, alphabet = _SHAPES[other % len(_SHAPES)], _ALPHABETS[other // len(_SHAPES) % len(_ALPHABETS)]
    return _coder(name, shape, alphabet, order, other // 20 % 3)
