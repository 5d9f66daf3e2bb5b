"""Edge-only from data set to bundle: the device sends pixels, the server has the whole network."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.bundle import Bundle, InputFormat, Manifest, PayloadFormat
from hil.codec.coder import make_coder
from hil.data.dataset import Dataset, Split, SplitName
from hil.deploy.calibrate import RANGES
from hil.schemes.edge_only_network import Whole
from hil.training import classify
from hil.training.batches import Batches, input_format
from hil.training.classifier_recipes import EdgeOnlyRecipe
from hil.training.determinism import seeded
from hil.training.device import device_of
from hil.training.progress import Report
from hil.training.recipe import as_json
from hil.training.weights import arrays

LEVELS = 256
"""Of a pixel."""

_CALIBRATION_SAMPLES = 256
_PIXELS = "x"
"""What capture calls the one activation of a device half that computes nothing."""


def whole(recipe: EdgeOnlyRecipe, form: InputFormat, classes: int) -> Whole:
    """An untrained network that takes stored pixels; `form` is what its first convolution takes."""
    return Whole(form, recipe.stem, recipe.server_stem, recipe.server_stages, recipe.server_head, classes)


def as_bytes(split: Split) -> Split:
    """The split as a camera would give it: 256 levels, halves upwards as the device's input has it."""
    if split.images.dtype == np.uint8:
        return split
    levels = np.floor(split.images.astype(np.float64) * (LEVELS - 1) + 0.5)
    return Split(levels.astype(np.uint8), split.labels)


def stored_format(dataset: Dataset) -> InputFormat:
    """What the device takes: the data set's own pixels, neither upscaled nor normalised."""
    height, width, channels = dataset.shape
    return InputFormat(height, width, channels, 1, (0.0,) * channels, (1.0,) * channels)


def _payload(form: InputFormat, codec: str) -> PayloadFormat:
    levels = tuple(level / (LEVELS - 1) for level in range(LEVELS))
    return PayloadFormat(0, form.channels, form.height, form.width, levels, codec)


def _payload_bytes(split: Split, payload: PayloadFormat) -> float:
    """Mean size of an encoded image."""
    coder = make_coder(payload, {})
    planar = split.images.astype(np.uint8).transpose(0, 3, 1, 2).reshape(len(split), -1)
    return float(np.mean([len(coder.encode(symbols)) for symbols in planar]))


def train(
    dataset: Dataset, recipe: EdgeOnlyRecipe, seed: int, data_dir: Path | None, report: Report
) -> Bundle:
    """Trains the server's network; the same seed gives the same bundle.

    Raises DataError when the data set cannot be read, TrainingError when training diverges.
    """
    form, network_form = stored_format(dataset), input_format(dataset)
    splits: tuple[SplitName, SplitName] = ("train", "test")
    where = device_of(recipe)
    training, test = (Batches(as_bytes(dataset.load(name, data_dir)), form, recipe, where) for name in splits)
    with seeded(seed, recipe.threads):
        network = whole(recipe, network_form, dataset.classes)
        classify.fit(network, training, recipe, report)
        metrics, predictions = classify.judge(network, test, report)
    payload = _payload(form, recipe.codec)
    sizes = {
        "payload_bytes": _payload_bytes(test.split, payload),
        "payload_raw_bytes": float(payload.raw_bytes),
    }
    manifest = Manifest(
        scheme="edge_only",
        dataset=dataset.name,
        classes=dataset.classes,
        seed=seed,
        input=form,
        payload=payload,
        alpha=0.0,
        # Through JSON, so that a bundle in memory equals the one read back.
        config={"recipe": as_json(recipe), "network_input": json.loads(json.dumps(asdict(network_form)))},
        metrics=metrics | sizes,
    )
    records: dict[str, NDArray[Any]] = {
        "record.predictions": predictions,
        "record.calibration": training.split.images[:_CALIBRATION_SAMPLES],
        # The whole range, not that of some samples: only then is an int8 a pixel.
        f"{RANGES}.{_PIXELS}": np.array([0.0, 1.0]),
    }
    return Bundle(manifest, arrays("server", network) | records)
