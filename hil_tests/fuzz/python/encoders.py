"""The firmware's encoders and the host's make the same payloads, which decode to what went in."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hil_tests.fuzz import firmware_library
from hil_tests.fuzz.python.forms import HEAD, coder
from hil_tests.unit.codec.payloads import skewed


def one(data: bytes) -> None:
    """Two bytes name the coder; the others are symbols, repeated until there are enough."""
    if len(data) <= HEAD:
        return
    chosen = coder(data[:HEAD])
    form = chosen.form
    given = np.resize(np.frombuffer(data[HEAD:], np.uint8), form.symbols)
    symbols = (given.astype(np.intp) % len(form.centroids)).astype(np.uint8)
    payload = chosen.encode(symbols)
    assert len(payload) <= chosen.capacity
    assert (chosen.decode(payload) == symbols).all()
    if firmware_library.is_there():
        assert firmware_library.encode(chosen, symbols, len(payload)) == payload
        assert firmware_library.encode(chosen, symbols, len(payload) - 1) is None


def seeds() -> Iterator[bytes]:
    """Symbols of every kind of payload."""
    for first in range(12):
        for second in (1, 2 + 5, 3 + 10, 4 + 15, 1 + 20, 2 + 50):
            form = coder(bytes([first, second])).form
            for skew in (0.02, 0.5):
                symbols = skewed(second, min(300, form.symbols), len(form.centroids), skew)
                yield bytes([first, second]) + symbols.tobytes()
