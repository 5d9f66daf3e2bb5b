"""What every codec makes of the same payloads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil import bundle as bundles
from hil.bundle import PayloadFormat
from hil.codec.coder import CODECS, make_coder
from hil.codec.tables import STATIC, tables_from
from hil.errors import UsageError


def sizes_by_codec(
    form: PayloadFormat, known: NDArray[np.uint8], sent: NDArray[np.uint8]
) -> dict[str, float]:
    """Mean bytes of the payloads `sent` (N, symbols), by codec; tables come from those that are `known`."""
    from hil.deploy.codecs.recode import format_for

    sizes = {}
    for codec in CODECS:
        chosen = format_for(form, codec, "rows" if codec == "context" else "planes")
        try:
            coder = make_coder(chosen, tables_from(chosen, known) if codec in STATIC else {})
        except UsageError:  # not for a payload of this shape
            continue
        sizes[codec] = float(np.mean([len(coder.encode(symbols)) for symbols in sent]))
    return sizes


def shortest(path: Path) -> str:
    """The codec that packs shortest what the bundle's int8 device half sends of its calibration images.

    Raises UsageError where it sends nothing.
    """
    from hil.deploy.codecs.symbols import calibration_symbols
    from hil.deploy.package import make_graph

    bundle = bundles.load(path)
    if bundle.manifest.payload is None:
        raise UsageError(f"{path.stem} sends nothing that a codec could pack", "leave its codec as it is")
    known = calibration_symbols(bundle, make_graph(bundle))
    sizes = sizes_by_codec(bundle.manifest.payload, known, known)
    return min(sizes, key=lambda codec: sizes[codec])
