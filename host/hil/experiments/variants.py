"""Variants of schemes that several experiments compare, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hil import bundle
from hil.errors import unknown_name
from hil.experiments.measures.bundles import bundle_of
from hil.experiments.measures.supply import SHORT, TRAINED_AT_ONCE, Wanted
from hil.training.progress import Report, silent


@dataclass(frozen=True)
class Variant:
    """A scheme's own recipe with `changes`, its payload packed by `codec` where one is named."""

    scheme: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    codec: str | None = None
    """The same network behind another codec (`hil run --codec`): needs no training."""
    title: str = ""


_RATE: Final = {"codec": "range", "rate_weight": 0.02}
VARIANTS: Final[Mapping[str, Variant]] = {
    "agilenn": Variant("agilenn", title="AgileNN, LZW (the paper's)"),
    "agilenn-range": Variant("agilenn", codec="range", title="AgileNN, range coder"),
    "agilenn-rate": Variant("agilenn", _RATE, title="AgileNN, range coder, trained for the rate"),
    "agilenn-rate-strong": Variant(
        "agilenn", _RATE | {"rate_weight": 0.1}, title="AgileNN, range coder, rate first"
    ),
    "agilenn-progressive": Variant(
        "agilenn", {"codec": "range", "progressive": True}, title="AgileNN, progressive"
    ),
    "deepcod": Variant("deepcod", title="DeepCOD, range coder (its own)"),
    "deepcod-lzw": Variant("deepcod", codec="lzw", title="DeepCOD, LZW"),
    "deepcod-free": Variant("deepcod", {"rate": 0.0}, title="DeepCOD, not trained for the rate"),
    "deepcod-rate-strong": Variant("deepcod", {"rate": 0.3}, title="DeepCOD, rate first"),
}


def variant(name: str) -> Variant:
    """The variant called `name`. Raises UsageError, listing the names, for any other."""
    try:
        return VARIANTS[name]
    except KeyError:
        raise unknown_name("variant", name, VARIANTS) from None


def variant_bundle(
    name: str,
    dataset: str,
    *,
    short: bool = False,
    train: bool | None = None,
    data_dir: Path | None = None,
    progress: Report = silent,
) -> Path:
    """The bundle of a variant: there, or trained and packed now (`Wanted`).

    A `short` training on the digits has fewer epochs; what needs none is as it always is. Raises UsageError
    on an unknown name, BundleError where a training of hours would be needed, DataError and TrainingError.
    """
    chosen = variant(name)
    path = _wanted(chosen, dataset, short, train).path(data_dir, progress) if chosen.changes else None
    path = path or bundle_of({"scheme": chosen.scheme, "dataset": dataset})
    if chosen.codec is None:
        return path
    from hil.deploy.codecs.recode import recode  # torch, in the end

    return recode(path, chosen.codec)


def variant_identity(name: str, dataset: str, *, short: bool = False, train: bool | None = None) -> str:
    """Names that bundle for a cell's key, before its training and after. Raises as `variant_bundle` does."""
    chosen = variant(name)
    if chosen.changes:
        return _wanted(chosen, dataset, short, train).identity()
    digest = bundle.digest(bundle_of({"scheme": chosen.scheme, "dataset": dataset})).hex()
    return f"{digest} {chosen.codec or 'own'}"


def _wanted(chosen: Variant, dataset: str, short: bool, train: bool | None) -> Wanted:
    fewer = SHORT[chosen.scheme] if short and dataset in TRAINED_AT_ONCE else {}
    return Wanted(chosen.scheme, dataset, {**chosen.changes, **fewer}, train=train)
