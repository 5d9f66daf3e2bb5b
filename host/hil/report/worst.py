"""The samples of a run that are worth a look: wrong answers first, then the slowest."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hil.data.dataset import unit
from hil.errors import HilError
from hil.report import picture
from hil.report.fields import Document, inner
from hil.session.events import SampleRecord

if TYPE_CHECKING:
    from hil.explain.answer import Importance

WRONG: Final = 8
SLOW: Final = 4
BRIGHT: Final = 98
"""Percentile of the importances above which all are shown alike."""
COLUMNS: Final = 12
"""Tiles in a row of a sheet of channels."""


@dataclass(frozen=True)
class Chosen:
    """One of them, and why."""

    record: SampleRecord
    why: str
    """failed, wrong or slow."""


@dataclass(frozen=True)
class Picture:
    """What a sample looks like; addresses of PNG files inside the page."""

    image: str
    heat: str = ""
    """Importance over the map, all channels together."""
    channels: str = ""
    """Importance over the map, channel by channel; to one scale."""
    channel_shape: tuple[int, int] = (0, 0)
    """(columns, rows) of tiles."""
    shares: tuple[float, ...] = ()
    """Each channel's share in the whole importance."""


@dataclass(frozen=True)
class Pictures:
    """Of the chosen samples, as far as data set and bundle are at hand."""

    by_index: dict[int, Picture]
    """By the record's position in the run."""
    names: tuple[str, ...] = ()
    """Of the classes."""
    kept: int = 0
    """Channels from 0 on that stay on the device."""
    of_input: bool = False
    missing: tuple[str, ...] = ()
    """What is not at hand, and how to get it."""


def choose(records: Sequence[SampleRecord]) -> list[Chosen]:
    """Failed and wrong ones, those first that the float model gets right; then the slowest of the others."""
    wrong = [record for record in records if not record.correct]
    wrong.sort(key=lambda record: (not _known_to_float(record), -_total(record), record.index))
    chosen = [Chosen(record, "failed" if record.prediction is None else "wrong") for record in wrong[:WRONG]]
    others = [record for record in records if record.correct and record.latency_ms is not None]
    others.sort(key=lambda record: (-_total(record), record.index))
    return chosen + [Chosen(record, "slow") for record in others[:SLOW]]


def _known_to_float(record: SampleRecord) -> bool:
    return record.float_prediction == record.label


def _total(record: SampleRecord) -> float:
    return record.latency_ms.total if record.latency_ms else 0.0


def pictures(
    summary: Document, chosen: Sequence[Chosen], data_dir: Path | None, bundle: Path | None = None
) -> Pictures:
    """Images from the test split, heat maps from the bundle: `bundle`, or the one the run names."""
    from hil.data import registry

    records = [choice.record for choice in chosen]
    try:
        dataset = registry.get(str(summary.get("dataset")))
        split = dataset.load("test", data_dir)
    except HilError as error:
        return Pictures({}, missing=(f"no images: {error.message} ({error.hint})",))
    records = [record for record in records if record.sample < len(split)]
    where = np.array([record.sample for record in records], np.int64)
    images, labels = split.images[where], split.labels[where]
    odd = [record for record, label in zip(records, labels, strict=True) if record.label != label]
    if odd:
        word = f"no images: sample {odd[0].sample} of {dataset.name} here has another label than in the run"
        return Pictures({}, dataset.label_names, missing=(word,))
    shown = {
        record.index: Picture(picture.data_uri(picture.grey_or_rgb(image)))
        for record, image in zip(records, unit(images), strict=True)
    }
    return _with_heat(shown, summary, records, images, labels, dataset.label_names, bundle)


def _with_heat(
    shown: dict[int, Picture],
    summary: Document,
    records: Sequence[SampleRecord],
    images: NDArray[Any],
    labels: NDArray[np.int64],
    names: tuple[str, ...],
    bundle: Path | None,
) -> Pictures:
    from hil import bundle as bundles
    from hil.explain.answer import importance

    alone = np.array([record.outcome in ("fallback", "local") for record in records], np.bool_)
    try:
        found = bundles.load(bundle or _bundle_of(summary))
        if not records:
            return Pictures(shown, names)
        made = importance(found, images, labels, alone)
    except HilError as error:
        return Pictures(shown, names, missing=(f"no heat maps: {error.message} ({error.hint})",))
    for number, record in enumerate(records):
        shown[record.index] = _heated(shown[record.index].image, made, number)
    return Pictures(shown, names, made.kept, made.of_input)


def _heated(image: str, made: Importance, number: int) -> Picture:
    maps = made.maps[number].astype(np.float64)
    together = maps.sum(axis=0)
    tiles = np.stack([picture.heat(channel, _bright(maps)) for channel in maps])
    columns = min(COLUMNS, len(tiles))
    return Picture(
        image,
        picture.data_uri(picture.heat(together, _bright(together))),
        picture.data_uri(picture.sheet(tiles, columns)) if len(tiles) > 1 else "",
        (columns, -(-len(tiles) // columns)),
        tuple(float(share) for share in made.channels[number]),
    )


def _bright(values: NDArray[np.float64]) -> float:
    """Where the scale ends: few values are so great that a linear scale would show nothing else."""
    found = values[values > 0]
    return float(np.percentile(found, BRIGHT)) if found.size else 0.0


def _bundle_of(summary: Document) -> Path:
    """The bundle with the run's hash: shipped, cached, or where the run's command found it."""
    from hil import bundle as bundles
    from hil.errors import BundleError

    named = inner(inner(summary, "provenance"), "bundle")
    wanted, file = str(named.get("sha256")), Path(str(named.get("file"))).name
    for candidate in _candidates(summary, file):
        if candidate.is_file() and bundles.digest(candidate).hex() == wanted:
            return candidate
    raise BundleError(
        f"the run's bundle {file} with SHA-256 {wanted[:12]}… is not at hand", "name it with --bundle"
    )


def _candidates(summary: Document, file: str) -> list[Path]:
    from hil import paths
    from hil.zoo import shelf

    shipped = shelf.find(str(summary.get("scheme")), str(summary.get("dataset")))
    cached = sorted(paths.cache_dir().glob(f"*/{glob.escape(file)}")) if file else []
    command = inner(summary, "provenance").get("command")
    words = [str(word) for word in command] if isinstance(command, list) else []
    given = [Path(after).expanduser() for word, after in pairwise(words) if word == "--bundle"]
    return [*([shipped] if shipped else []), *cached, *given]
