"""What every coder asks of the symbols that it is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec import order
from hil.errors import CodecError
from hil.wire.protocol import Order


def require(symbols: NDArray[np.uint8], form: PayloadFormat) -> NDArray[np.uint8]:
    """Planar `symbols` as (runs, run length), in the order of packing.

    Raises CodecError unless they are a payload of `form`.
    """
    require_alphabet(symbols, len(form.centroids))
    if symbols.size != form.symbols:
        raise CodecError(f"the payload has {symbols.size} symbols, not {form.symbols}")
    return order.to_runs(symbols, form)


def require_size(payload: bytes, capacity: int) -> bytes:
    """`payload`. Raises CodecError when it is longer than any that can be, before time is spent on it."""
    if len(payload) > capacity:
        raise CodecError(f"the payload has {len(payload)} bytes, at most {capacity} can be")
    return payload


def require_alphabet(symbols: NDArray[np.uint8], alphabet: int) -> None:
    """Raises CodecError on a symbol that is not below `alphabet`."""
    if symbols.size and int(symbols.max()) >= alphabet:
        raise CodecError(f"symbol {int(symbols.max())} is outside an alphabet of {alphabet}")


def require_planes(form: PayloadFormat) -> None:
    """Raises CodecError where a payload's first bytes hold no whole channel."""
    if order.order_of(form) is not Order.PLANES:
        raise CodecError(f"a payload in order {form.order!r} cannot be read in part")
