"""What aiming at a skewness comes to: accuracy, the skewness achieved, and what is left to send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from hil.experiments.measure import Context, Figure, Found, Measure, Settings
from hil.experiments.measures import trained
from hil.experiments.measures.packing import sizes_by_codec
from hil.experiments.measures.supply import Wanted


def skewing(settings: Settings, context: Context) -> Found:
    """Settings: `dataset`, `rho`, `samples` (whose payloads are packed; 0: all), `short`, `train`.

    Accuracies and skewness are the float network's on the whole test split; bytes those of the int8 device
    half. Raises BundleError where the bundle is neither there nor to be trained, DataError, TrainingError.
    """
    path = _wanted(settings).path(context.data_dir)
    found = trained.found_in(path, context)
    return replace(found, figures={**found.figures, **payload_figures(path, settings["samples"], context)})


def payload_figures(path: Path, samples: int, context: Context) -> dict[str, Figure]:
    """What the int8 device half sends of the first `samples` test images, by LZW and by the best codec."""
    from hil import bundle as bundles
    from hil import data
    from hil.deploy.codecs.symbols import calibration_symbols, symbols_of
    from hil.deploy.package import make_graph

    bundle = bundles.load(path)
    graph = make_graph(bundle)
    split = data.get(bundle.manifest.dataset).load("test", context.data_dir)
    sent = symbols_of(bundle, graph, split.images[: samples or None])
    known = calibration_symbols(bundle, graph)
    assert bundle.manifest.payload is not None
    sizes = sizes_by_codec(bundle.manifest.payload, known, sent)
    best = min(sizes, key=lambda codec: sizes[codec])
    return {
        "lzw_bytes": sizes["lzw"],
        "best_bytes": sizes[best],
        "best_codec": best,
        "raw_bytes": bundle.manifest.payload.raw_bytes,
        "zero_share": float(np.mean(sent == 0)),
        "packed_samples": len(sent),
    }


def _wanted(settings: Settings) -> Wanted:
    return trained.wanted(settings, {"rho": settings["rho"]})


def inputs(settings: Settings, context: Context) -> Mapping[str, str]:
    """The bundle's name. Raises BundleError where there is none."""
    return {"bundle": _wanted(settings).identity()}


SKEWING = Measure("skewing", skewing, trained.ROOMS, inputs, trained.canonical)
