"""AgileNN's answers where the fusion's weight is not the one that training found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hil.errors import UsageError
from hil.experiments.measure import Context, Found, Measure, Settings
from hil.experiments.measures import trained
from hil.experiments.measures.bundles import bundle_inputs, bundle_of
from hil.experiments.measures.supply import Wanted

if TYPE_CHECKING:
    from hil.deploy.graph import Tensor

REPLACED, TRAINED = "replaced", "trained"


def fusion(settings: Settings, context: Context) -> Found:
    """int8 on the host. Settings: `dataset`, `alpha` (0: as training found it), `samples` (0: all), `how`.

    `how` replaced puts `alpha` into the finished bundle, trained leaves it fixed while both halves are
    trained (`short`, `train`). Raises BundleError, UsageError, DataError, TrainingError.
    """
    from hil.bundle import digest, read_manifest
    from hil.deploy.fuse import fuse_all, make_fusion

    fixed: float = settings["alpha"]
    if not 0 <= fixed < 1:
        raise UsageError(f"an alpha of {fixed}", "below 1; 0 is as training found it")
    path = _path(settings, context)
    manifest, given = read_manifest(path), _logits(path, digest(path), settings["samples"], context)
    alpha = fixed or manifest.alpha
    fused = fuse_all(make_fusion(alpha, given.scale), given.local, given.remote)
    heads: dict[str, NDArray[Any]] = {
        "accuracy": fused,
        "local_accuracy": given.local,
        "remote_accuracy": given.remote,
    }
    shares = {name: float(np.mean(logits.argmax(axis=1) == given.labels)) for name, logits in heads.items()}
    told = {"alpha": alpha, "fixed": bool(fixed), "samples": len(given.labels)}
    return Found({**told, **shares, "skewness": manifest.metrics.get("skewness")})


@dataclass(frozen=True)
class Logits:
    """Both halves' answers to N samples, which no fusion weight changes."""

    labels: NDArray[np.int64]
    local: NDArray[np.int8]
    """(N, classes), of the graph's tensor `scale`."""
    remote: NDArray[np.int16]
    """(N, classes)"""
    scale: Tensor


@lru_cache(maxsize=2)
def _logits(path: Path, digest: bytes, samples: int, context: Context) -> Logits:
    """A worker meets the same bundle at every weight. `samples` 0 are all."""
    from hil import bundle as bundles
    from hil import data
    from hil.deploy.evaluate import Int8System, batches
    from hil.deploy.package import make_graph

    bundle = bundles.load(path)
    graph = make_graph(bundle)
    split = data.get(bundle.manifest.dataset).load("test", context.data_dir)
    split = split.first(samples) if samples else split
    system = Int8System(bundle, graph)
    parts = [system.logits(part) for part in batches(split.images, bundle.manifest, graph)]
    local, remote = (np.concatenate(half) for half in zip(*parts, strict=True))
    return Logits(split.labels, local, remote, graph.tensor(graph.logits or ""))


def _path(settings: Settings, context: Context) -> Path:
    if _how(settings) == REPLACED:
        return bundle_of(_of_agilenn(settings))
    return _wanted(settings).path(context.data_dir)


def _how(settings: Settings) -> str:
    """Raises UsageError where it is neither."""
    if settings["how"] not in (REPLACED, TRAINED):
        raise UsageError(f"alpha cannot be {settings['how']!r}", f"it is {REPLACED} or {TRAINED}")
    return str(settings["how"])


def _of_agilenn(settings: Settings) -> Settings:
    return {"scheme": "agilenn", "dataset": settings["dataset"]}


def _wanted(settings: Settings) -> Wanted:
    return trained.wanted(settings, {"alpha": settings["alpha"]} if settings["alpha"] else {})


def inputs(settings: Settings, context: Context) -> Mapping[str, str]:
    """The bundle's name. Raises BundleError where there is none."""
    if _how(settings) == REPLACED:
        return bundle_inputs(_of_agilenn(settings), context)
    return {"bundle": _wanted(settings).identity()}


FUSION = Measure("fusion", fusion, trained.ROOMS, inputs, trained.canonical)
