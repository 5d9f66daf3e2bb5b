"""In which order a payload's symbols are packed: whole planes, or row by row.

Coders take and give planar symbols. What they pack are runs: as many symbols of one channel as follow one
another, a whole plane or one row of it. Run r belongs to channel r mod channels in both orders.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.errors import UsageError, unknown_name
from hil.wire.protocol import Order

ORDERS = {order.name.lower(): order for order in Order}


def order_of(form: PayloadFormat) -> Order:
    """Raises UsageError on an unknown order, and where a progressive payload is not sent in planes."""
    if form.order not in ORDERS:
        raise unknown_name("order", form.order, ORDERS)
    order = ORDERS[form.order]
    if form.progressive and order is not Order.PLANES:
        raise UsageError(
            f"a progressive payload in order {form.order!r}: its first bytes hold no whole channel",
            "send it in order 'planes', or train the bundle without `progressive`",
        )
    return order


def run_length(form: PayloadFormat) -> int:
    """Symbols of a run."""
    return form.width if order_of(form) is Order.ROWS else form.height * form.width


def to_runs(planes: NDArray[np.uint8], form: PayloadFormat) -> NDArray[np.uint8]:
    """Planar symbols, of any shape → (runs, run length), in the order of packing."""
    if order_of(form) is Order.PLANES:
        return planes.reshape(form.channels, -1)
    rows = planes.reshape(form.channels, form.height, form.width).transpose(1, 0, 2)
    return rows.reshape(-1, form.width)


def to_planes(runs: NDArray[np.uint8], form: PayloadFormat) -> NDArray[np.uint8]:
    """The way back: (runs, run length), or flat → planar (symbols,)."""
    if order_of(form) is Order.PLANES:
        return runs.reshape(-1)
    return runs.reshape(form.height, form.channels, form.width).transpose(1, 0, 2).reshape(-1)
