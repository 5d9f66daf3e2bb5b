"""How many bytes of a payload in rows can have left before the rest is known."""

from __future__ import annotations

from hil.codec import context
from hil.codec.coder import Coder
from hil.wire.protocol import Codec

_HELD_BACK = 4
"""An encoder's registers: what it has not written yet, or has written ahead."""


def bytes_of_rows(coder: Coder, rows: int) -> int:
    """At most so many bytes are written when the first `rows` rows of all channels are encoded.

    The bound of a whole payload grows with its rows: in proportion, but for LZW, whose first codes are
    shorter, and for the context coder, which may run ahead of its budget by a row.
    """
    form = coder.form
    if coder.wire is Codec.CONTEXT:
        return context.budget(form.channels * rows, form.width, len(form.centroids)).capacity
    return min(coder.capacity, -(-coder.capacity * rows // form.height) + _HELD_BACK)
