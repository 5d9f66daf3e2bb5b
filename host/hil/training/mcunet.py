"""MCUNet's training from data set to bundle: one network, all of it on the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hil.bundle import Bundle, Manifest
from hil.data.dataset import Dataset
from hil.schemes.mcunet_network import McuNetwork
from hil.training import classify
from hil.training.batches import Batches, input_format
from hil.training.classifier_recipes import McuNetRecipe
from hil.training.determinism import seeded
from hil.training.device import device_of
from hil.training.progress import Report
from hil.training.recipe import as_json
from hil.training.weights import arrays

_CALIBRATION_SAMPLES = 256


def network_of(recipe: McuNetRecipe, inputs: int, classes: int) -> McuNetwork:
    """An untrained network."""
    return McuNetwork(inputs, recipe.stem, recipe.blocks, classes)


def train(dataset: Dataset, recipe: McuNetRecipe, seed: int, data_dir: Path | None, report: Report) -> Bundle:
    """Trains the network; the same seed gives the same bundle.

    Raises DataError when the data set cannot be read, TrainingError when training diverges.
    """
    form = input_format(dataset)
    where = device_of(recipe)
    training = Batches(dataset.load("train", data_dir), form, recipe, where)
    test = Batches(dataset.load("test", data_dir), form, recipe, where)
    with seeded(seed, recipe.threads):
        network = network_of(recipe, form.channels, dataset.classes)
        classify.fit(network, training, recipe, report)
        metrics, predictions = classify.judge(network, test, report)
    manifest = Manifest(
        scheme="mcunet",
        dataset=dataset.name,
        classes=dataset.classes,
        seed=seed,
        input=form,
        payload=None,
        alpha=1.0,
        config={"recipe": as_json(recipe)},
        metrics=metrics,
    )
    records: dict[str, NDArray[Any]] = {
        "record.predictions": predictions,
        "record.calibration": training.split.images[:_CALIBRATION_SAMPLES],
    }
    return Bundle(manifest, arrays("device", network) | records)
