"""Variants of schemes that several experiments compare, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hil.errors import unknown_name
from hil.experiments.at_hand import QUICK, bundle_for
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
    quick: bool = False,
    train: bool | None = None,
    seed: int = 0,
    data_dir: Path | None = None,
    progress: Report = silent,
) -> Path:
    """The bundle of a variant: there, or trained and packed now (see `bundle_for`).

    A `quick` one of the digits has fewer epochs, unless nothing has to be trained. Raises UsageError on an
    unknown name, BundleError where a training of hours would be needed, DataError and TrainingError.
    """
    chosen = variant(name)
    fewer = QUICK[chosen.scheme] if quick and chosen.changes and dataset == "digits" else {}
    path = bundle_for(
        chosen.scheme,
        dataset,
        {**chosen.changes, **fewer},
        train=train,
        seed=seed,
        data_dir=data_dir,
        progress=progress,
    )
    if chosen.codec is None:
        return path
    from hil.deploy.codecs.recode import recode  # torch, in the end

    return recode(path, chosen.codec)
