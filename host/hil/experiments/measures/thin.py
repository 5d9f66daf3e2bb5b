"""A bundle with a coarser payload quantiser: less to send, less known, and no new training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from hil import bundle as bundles
from hil.errors import UsageError
from hil.paths import cache_dir


def thinned(path: Path, every: int) -> Path:
    """The bundle at `path` with a coarser quantiser, from the cache or made now; `path` itself for 1.

    Of L levels ⌈L / every⌉ are left, the lowest and the highest among them. Raises UsageError where fewer
    than two would be.
    """
    if every == 1:
        return path
    bundle = bundles.load(path)
    payload = bundle.manifest.payload
    count = 0 if payload is None else -(-len(payload.centroids) // every)
    if payload is None or count < 2:
        raise UsageError(
            f"every {every}th level of {path.stem}'s payload leaves none to tell apart", "thin it less"
        )
    kept = np.linspace(0, len(payload.centroids) - 1, count).round().astype(int)
    levels = tuple(payload.centroids[place] for place in kept)
    target = cache_dir() / "thinned" / f"{path.stem}-{bundles.digest(path).hex()[:16]}-{count}.safetensors"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        form = replace(payload, centroids=levels)
        bundles.save(replace(bundle, manifest=replace(bundle.manifest, payload=form)), target)
    return target
