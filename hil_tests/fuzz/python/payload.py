"""Payloads from a device, as the server decodes them: CodecError or symbols, nothing else, of any bytes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hil.codec.coder import ProgressiveCoder
from hil.errors import CodecError
from hil_tests.fuzz import firmware_library
from hil_tests.fuzz.python.forms import HEAD, coder
from hil_tests.unit.codec.payloads import skewed

ONE_PAYLOAD = ("none", "range", "huffman", "context")
"""Codecs that decode nothing but what their own encoder makes."""


def one(data: bytes) -> None:
    """Two bytes name the coder; the others are the payload."""
    if len(data) < HEAD:
        return
    chosen, payload = coder(data[:HEAD]), data[HEAD:]
    form = chosen.form
    try:
        symbols = chosen.decode(payload)
    except CodecError:
        symbols = None
    if symbols is not None:
        assert symbols.shape == (form.symbols,)
        assert symbols.dtype == np.uint8
        assert int(symbols.max()) < len(form.centroids)
        again = chosen.encode(symbols)
        assert again == payload if form.codec in ONE_PAYLOAD else (chosen.decode(again) == symbols).all()
    if form.codec == "lzw" and firmware_library.is_there() and len(payload) <= chosen.capacity:
        found = firmware_library.decode_lzw(payload, form.symbols, len(form.centroids))
        assert (found is None) == (symbols is None)
    if isinstance(chosen, ProgressiveCoder):
        try:
            complete = chosen.decode_prefix(payload)
        except CodecError:
            return
        assert complete.size <= form.symbols
        assert complete.size % (form.height * form.width) == 0
        assert symbols is None or (complete == symbols[: complete.size]).all()


def seeds() -> Iterator[bytes]:
    """What the encoders make."""
    for first in range(12):
        for second in (1, 2 + 5, 3 + 10, 4 + 15, 1 + 20, 2 + 50):
            head = bytes([first, second])
            chosen = coder(head)
            form = chosen.form
            yield head + chosen.encode(skewed(second, form.symbols, len(form.centroids), 0.3))
