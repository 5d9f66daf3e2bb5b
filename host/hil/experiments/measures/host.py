"""A bundle's whole system on the host, in the deployed arithmetic: accuracy and payload, no board."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hil.experiments.measure import Context, Figure, Found, Measure, Settings
from hil.experiments.measures.bundles import bundle_inputs, bundle_of

BEST = "best"
"""As a codec: the one of ours with the shortest payloads."""

_SLICE = 200
"""Images between two looks at memory."""


def host(settings: Settings, context: Context) -> Found:
    """int8 device half, coded payload, float server half, integer fusion on the first `samples` test images.

    Settings: those of `bundle_of`, `samples` (0: all), and `codec` (`own`, `best`, or a name).
    """
    return Found(figures_of(_packed(bundle_of(settings), settings), settings, context))


def figures_of(path: Path, settings: Settings, context: Context) -> dict[str, Figure]:
    """The figures of the bundle at `path`. Raises BundleError, DataError."""
    from hil import bundle as bundles
    from hil import data
    from hil.deploy.evaluate import evaluate_int8
    from hil.deploy.package import make_graph

    bundle = bundles.load(path)
    graph = make_graph(bundle)
    split = data.get(bundle.manifest.dataset).load("test", context.data_dir)
    split = split.first(settings["samples"]) if settings.get("samples") else split
    parts = [
        evaluate_int8(
            bundle, split.images[start : start + _SLICE], split.labels[start : start + _SLICE], graph=graph
        )
        for start in range(0, len(split), _SLICE)
    ]
    weights = [len(part.labels) / len(split) for part in parts]

    def mean(values: list[float]) -> float:
        return float(np.dot(values, weights))

    sent = np.concatenate(
        [part.payload_bytes[~part.exited] for part in parts if part.payload_bytes is not None]
    )
    payload, local = bundle.manifest.payload, [part.local_accuracy for part in parts]
    picture = int(np.prod(split.images.shape[1:])) if split.images.dtype == np.uint8 else None
    some = payload is not None and len(sent) > 0
    return {
        "samples": len(split),
        "accuracy": mean([part.accuracy for part in parts]),
        "float_accuracy": mean([part.float_accuracy for part in parts]),
        "local_accuracy": mean([share or 0.0 for share in local]) if None not in local else None,
        "exit_share": mean([float(part.exited.mean()) for part in parts]),
        "payload_bytes": float(sent.mean()) if some else None,
        "payload_p95_bytes": float(np.percentile(sent, 95)) if some else None,
        "raw_bytes": payload.raw_bytes if payload else None,
        "levels": len(payload.centroids) if payload else None,
        "packed_by": payload.codec if payload else None,
        "bits_per_symbol": 8 * float(sent.mean()) / payload.symbols if payload and some else None,
        "compression": picture / float(sent.mean()) if picture and some else None,
    }


def _packed(path: Path, settings: Settings) -> Path:
    from hil.deploy.codecs.recode import recode

    codec = settings.get("codec", "own")
    return path if codec == "own" else recode(path, _shortest(path) if codec == BEST else codec)


def _shortest(path: Path) -> str:
    """The context coder, but for alphabets that are too large for it: the range coder then."""
    from hil import bundle as bundles
    from hil.wire.protocol import CONTEXT_ALPHABET_MAX

    payload = bundles.read_manifest(path).payload
    return "context" if payload and len(payload.centroids) <= CONTEXT_ALPHABET_MAX else "range"


HOST = Measure("host", host, ("codec", "data", "deploy", "schemes"), bundle_inputs)
