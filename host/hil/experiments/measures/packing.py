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
from hil.experiments.measure import Context

WEIGHED = 64
"""Samples whose payloads are packed by every codec."""


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


def shortest(path: Path, context: Context) -> str:
    """The codec that packs shortest what the bundle's int8 device half sends of samples it was trained on.

    Not of its calibration: that made the tables. Raises UsageError where the bundle sends nothing,
    DataError where its data set is not there.
    """
    from hil import data
    from hil.deploy.codecs.symbols import calibration_symbols, symbols_of
    from hil.deploy.package import make_graph

    bundle = bundles.load(path)
    if bundle.manifest.payload is None:
        raise UsageError(f"{path.stem} sends nothing that a codec could pack", "leave its codec as it is")
    graph = make_graph(bundle)
    split = data.get(bundle.manifest.dataset).load("train", context.data_dir)
    sent = symbols_of(bundle, graph, split.images[:: max(1, len(split) // WEIGHED)][:WEIGHED])
    sizes = sizes_by_codec(bundle.manifest.payload, calibration_symbols(bundle, graph), sent)
    return min(sizes, key=lambda codec: sizes[codec])
