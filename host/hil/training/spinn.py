"""SPINN's training from data set to bundle: all exits at once, then the scheduler (MobiCom 2020)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from hil.bundle import Bundle, Manifest, PayloadFormat
from hil.data.dataset import Dataset, Split
from hil.link.presets import RADIOS
from hil.schemes.spinn_network import ExitNetwork, confidence_of
from hil.training.batches import Batches, input_format
from hil.training.determinism import seeded
from hil.training.device import device_of, settle
from hil.training.fit_exits import fit
from hil.training.progress import Progress, Report
from hil.training.recipe import as_json
from hil.training.run import Run
from hil.training.spinn_recipe import SpinnRecipe
from hil.training.split_profile import answers, payload_of, profile
from hil.training.split_scheduler import Choice, Conditions, choose, first_sure
from hil.training.weights import arrays

_CALIBRATION_SAMPLES = 256
DEVICE_MACS_PER_S = 7e7
"""Of an STM32F746 at 216 MHz: the small recipe's first stage makes 58 million, its first three 81 (twin)."""
SERVER_S = 0.002
"""A guess at one inference of the server half, which differs little between splits."""


def network_of(recipe: SpinnRecipe, inputs: int, classes: int) -> ExitNetwork:
    """An untrained network."""
    return ExitNetwork(inputs, recipe.stem, recipe.stages, recipe.exit_width, recipe.head, classes)


def held_out(split: Split, recipe: SpinnRecipe) -> tuple[Split, Split]:
    """What is trained on, and every n-th sample, which is not."""
    split = split.first(recipe.limit or len(split))
    every = max(2, round(1 / recipe.validation))
    kept = np.arange(len(split)) % every == every - 1
    return Split(split.images[~kept], split.labels[~kept]), Split(split.images[kept], split.labels[kept])


def _schedule(
    network: ExitNetwork,
    recipe: SpinnRecipe,
    calibration: NDArray[np.float32],
    validation: Batches,
    classes: int,
) -> tuple[Choice, PayloadFormat]:
    """The split and the threshold for the planned link, and what is then sent."""
    payloads = {
        split: payload_of(network, split, recipe.levels, recipe.codec, calibration) for split in recipe.splits
    }
    profiles = [profile(network, split, form, validation) for split, form in payloads.items()]
    radio = RADIOS[recipe.planned_radio]
    conditions = Conditions(radio, DEVICE_MACS_PER_S, SERVER_S, reply_bytes=2 * classes)
    choice = choose(profiles, conditions, recipe.accuracy_loss)
    return choice, payloads[choice.split]


def _metrics(
    network: ExitNetwork, choice: Choice, payload: PayloadFormat, test: Batches
) -> tuple[dict[str, float], NDArray[np.int64]]:
    """As it will be deployed, over the test split, and the answers.

    `payload_bytes` counts a sample that exits as 0, and is the mean of the first samples only.
    """
    found = answers(network, choice.split, payload, test)
    confidence = confidence_of(found.logits).numpy()
    classes, labels = found.logits.argmax(-1).numpy(), test.split.labels
    samples = np.arange(len(labels))
    chosen = first_sure(confidence, choice.confidence)
    remote = 1 + first_sure(confidence[1:], choice.confidence)
    predictions = classes[chosen, samples]
    crossing = np.where(chosen == 0, 0.0, 1.0)[: len(found.payload_bytes)]
    metrics = {
        "accuracy": np.mean(predictions == labels),
        "local_accuracy": np.mean(classes[0] == labels),
        "remote_accuracy": np.mean(classes[remote, samples] == labels),
        "end_accuracy": np.mean(classes[-1] == labels),
        "exit_share": np.mean(chosen == 0),
        "payload_bytes": np.mean(crossing * found.payload_bytes),
        "payload_raw_bytes": payload.raw_bytes,
    }
    return {name: float(value) for name, value in metrics.items()}, predictions


def train(dataset: Dataset, recipe: SpinnRecipe, seed: int, data_dir: Path | None, report: Report) -> Bundle:
    """Trains the network, chooses split and threshold; the same seed gives the same bundle.

    Where `report` is a `Run` with a checkpoint, what that has behind it is not trained again.

    Raises DataError when the data set cannot be read, TrainingError when training diverges.
    """
    form, where, run = input_format(dataset), device_of(recipe), Run.of(report)
    seen, unseen = held_out(dataset.load("train", data_dir), recipe)
    training, validation = Batches(seen, form, recipe, where), Batches(unseen, form, recipe, where)
    test = Batches(dataset.load("test", data_dir), form, recipe, where)
    calibration = seen.images[:_CALIBRATION_SAMPLES]
    with seeded(seed, recipe.threads):
        network = network_of(recipe, form.channels, dataset.classes)
        # Depthwise convolutions and their gradients are half as fast again in this layout.
        convert_conv2d_weight_memory_format(network, torch.channels_last)
        fit(settle(network, recipe, where), training, recipe, run)
        report(Progress("schedule", 0, 1))
        choice, payload = _schedule(network, recipe, form.prepare(calibration), validation, dataset.classes)
        report(Progress("schedule", 1, 1, f"split {choice.split}, confidence {choice.confidence:.2f}"))
        report(Progress("evaluate", 0, 1))
        metrics, predictions = _metrics(network, choice, payload, test)
        report(Progress("evaluate", 1, 1, f"accuracy {metrics['accuracy']:.3f}"))
    manifest = Manifest(
        scheme="spinn",
        dataset=dataset.name,
        classes=dataset.classes,
        seed=seed,
        input=form,
        payload=payload,
        # The server's answer is not blended with the exit's: it knows all that the exit knew.
        alpha=0.0,
        config={"recipe": as_json(recipe), "schedule": asdict(choice)},
        metrics=metrics,
        exit_confidence=choice.confidence,
    )
    records: dict[str, NDArray[Any]] = {
        "record.predictions": predictions,
        "record.calibration": calibration,
    }
    halves = arrays("device", network.device(choice.split)) | arrays("server", network.server(choice.split))
    return Bundle(manifest, halves | records)
