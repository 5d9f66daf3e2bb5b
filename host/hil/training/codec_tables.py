"""The tables that a static coder needs, from what the training split's payloads look like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec.tables import STATIC, tables_from
from hil.errors import CodecError

PREFIX = "codec."


def codec_tables(codec: str, symbols: NDArray[np.uint8], form: PayloadFormat) -> dict[str, NDArray[Any]]:
    """A bundle's tensors under `codec.` for `codec`, from `symbols` (samples, channels, pixels).

    Nothing for a codec that adapts, or packs without statistics. Raises CodecError when `symbols`
    are not payloads of `form`.
    """
    if symbols.ndim != 3 or symbols.shape[1:] != (form.channels, form.height * form.width):
        raise CodecError(
            f"symbols of shape {symbols.shape} are no payloads of "
            f"{form.channels} × {form.height} × {form.width}"
        )
    if codec not in STATIC:
        return {}
    tables = tables_from(replace(form, codec=codec), symbols.reshape(len(symbols), -1))
    return {PREFIX + name: table for name, table in tables.items()}
