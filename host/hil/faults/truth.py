"""What is right for each sample, found without a board, a codec, a frame or a session."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from hil import bundle as bundles
from hil.data import registry as datasets
from hil.faults.outcome import Truth


@lru_cache(maxsize=8)
def truths(bundle: Path, data_dir: Path | None = None) -> Sequence[Truth]:
    """One for each sample of the test split of `bundle`'s data set. Raises BundleError, DataError."""
    from hil.deploy.evaluate import evaluate_int8

    opened = bundles.load(bundle)
    split = datasets.get(opened.manifest.dataset).load("test", data_dir)
    found = evaluate_int8(
        opened,
        split.images,
        split.labels,
        sizes=False,
        float_predictions=opened.tensors.get("record.predictions"),
    )
    sends = opened.manifest.payload is not None
    local = found.local_predictions
    return tuple(
        Truth(None if local is None else int(local[at]), int(both) if sends else None)
        for at, both in enumerate(found.predictions)
    )
