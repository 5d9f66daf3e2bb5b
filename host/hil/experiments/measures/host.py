"""A bundle's whole system on the host, in the deployed arithmetic: accuracy and payload, no board."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hil.experiments.measure import Context, Figure, Found, Measure, Settings
from hil.experiments.measures.bundles import bundle_inputs, bundle_of

BEST = "best"
"""As a codec: the one whose payloads of training samples are shortest."""


def host(settings: Settings, context: Context) -> Found:
    """int8 device half, coded payload, float server half, integer fusion on the first `samples` test images.

    Settings: those of `bundle_of`, `samples` (0: all), and `codec` (`own`, `best`, or a name).
    """
    return Found(figures_of(_packed(bundle_of(settings), settings, context), settings, context))


def figures_of(path: Path, settings: Settings, context: Context) -> dict[str, Figure]:
    """The figures of the bundle at `path`. Raises BundleError, DataError."""
    from hil import bundle as bundles
    from hil import data
    from hil.bench.accuracy import on_host

    bundle = bundles.load(path)
    split = data.get(bundle.manifest.dataset).load("test", context.data_dir)
    split = split.first(settings["samples"]) if settings.get("samples") else split
    row = on_host(path, bundle, split, _silent)
    payload, sent_bytes = bundle.manifest.payload, row.payload_bytes_mean
    picture = int(np.prod(split.images.shape[1:])) if split.images.dtype == np.uint8 else None
    return {
        "samples": row.samples,
        "accuracy": row.int8_accuracy,
        "float_accuracy": row.float_accuracy,
        "local_accuracy": row.local_accuracy,
        "exit_share": row.exit_share,
        "payload_bytes": sent_bytes,
        "payload_p95_bytes": row.payload_bytes_p95,
        "raw_bytes": payload.raw_bytes if payload else None,
        "levels": len(payload.centroids) if payload else None,
        "packed_by": payload.codec if payload else None,
        "bits_per_symbol": 8 * sent_bytes / payload.symbols if payload and sent_bytes else None,
        "compression": picture / sent_bytes if picture and sent_bytes else None,
    }


def _silent(what: str, done: int, total: int) -> None:
    """A cell's progress is that it ends."""


def _packed(path: Path, settings: Settings, context: Context) -> Path:
    from hil.deploy.codecs.recode import recode
    from hil.experiments.measures.packing import shortest

    codec = settings.get("codec", "own")
    return path if codec == "own" else recode(path, shortest(path, context) if codec == BEST else codec)


HOST = Measure("host", host, ("bench", "codec", "data", "deploy", "schemes"), bundle_inputs)
