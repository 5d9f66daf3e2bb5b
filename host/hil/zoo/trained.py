"""The bundle that is there without training: the user's own, else the one that comes with hil."""

from __future__ import annotations

from pathlib import Path

from hil.training import api
from hil.zoo import shelf


def trained(scheme: str, dataset: str, seed: int = 0) -> Path | None:
    """The cached bundle of the scheme's own recipe, else the shipped one (seed 0 only), else None.

    Raises UsageError on an unknown name.
    """
    cached = api.cached_bundle_path(scheme, dataset, seed)
    if cached.exists():
        return cached
    return shelf.find(scheme, dataset) if seed == 0 else None
