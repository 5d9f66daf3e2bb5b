"""AgileNN's training from data set to bundle (MobiCom 2022; facts, "Training")."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from hil.bundle import Bundle, Manifest, PayloadFormat
from hil.data.dataset import Dataset
from hil.schemes.agilenn_device import DeviceHalf
from hil.schemes.agilenn_server import ServerHalf
from hil.training.attribution import Attributor
from hil.training.batches import Batches, input_format
from hil.training.determinism import seeded
from hil.training.evaluate import Evaluation, evaluate
from hil.training.fit import fit
from hil.training.pretrain import train_reference, warm_up
from hil.training.progress import Progress, Report
from hil.training.quantiser import Quantiser
from hil.training.recipe import AgileRecipe
from hil.training.reference import Judge
from hil.training.remap import permute, ranking
from hil.training.split_network import SplitNetwork
from hil.training.weights import arrays

_CALIBRATION_SAMPLES = 256


def device_half(recipe: AgileRecipe, inputs: int, classes: int) -> DeviceHalf:
    """An untrained device half."""
    return DeviceHalf(inputs, recipe.stem, recipe.channels, recipe.local_channels, classes)


def server_half(recipe: AgileRecipe, classes: int) -> ServerHalf:
    """An untrained server half."""
    sent = recipe.channels - recipe.local_channels
    return ServerHalf(sent, recipe.server_stem, recipe.server_stages, recipe.server_head, classes)


@torch.no_grad()
def _remap(
    device: DeviceHalf, judge: Judge, attributor: Attributor, batches: Batches, recipe: AgileRecipe
) -> None:
    """Ranks the channels over the training split and permutes them."""
    device.eval()
    importance = torch.cat(
        [
            attributor.importance(device.extract(batches.upscaled(images)), labels)
            for images, labels in batches.in_order()
        ]
    )
    permute(device, judge, ranking(importance, recipe.remapping, recipe.local_channels))


def _bundle(
    network: SplitNetwork,
    found: Evaluation,
    dataset: Dataset,
    batches: Batches,
    recipe: AgileRecipe,
    seed: int,
) -> Bundle:
    form = input_format(dataset)
    calibration = form.prepare(batches.split.images[:_CALIBRATION_SAMPLES])
    local = recipe.local_channels
    payload = PayloadFormat(
        channel_begin=local,
        channels=recipe.channels - local,
        height=form.height // 3,
        width=form.width // 3,
        centroids=network.quantiser.ascending(),
    )
    manifest = Manifest(
        scheme="agilenn",
        dataset=dataset.name,
        classes=dataset.classes,
        seed=seed,
        input=form,
        payload=payload,
        alpha=network.alpha().item(),
        # Through JSON, so that a bundle in memory equals the one read back.
        config={"recipe": json.loads(json.dumps(asdict(recipe))), "local_channels": local},
        metrics=found.metrics | {"payload_raw_bytes": float(payload.raw_bytes)},
    )
    records: dict[str, NDArray[Any]] = {
        "record.predictions": found.predictions,
        "record.calibration": calibration,
    }
    return Bundle(manifest, arrays("device", network.device) | arrays("server", network.server) | records)


def train(dataset: Dataset, recipe: AgileRecipe, seed: int, data_dir: Path | None, report: Report) -> Bundle:
    """Trains reference, extractor and both halves; the same seed gives the same bundle.

    Raises DataError when the data set cannot be read, TrainingError when training diverges.
    """
    form = input_format(dataset)
    training = Batches(dataset.load("train", data_dir), form, recipe)
    test = Batches(dataset.load("test", data_dir), form, recipe)
    with seeded(seed, recipe.threads):
        reference = train_reference(training, dataset.classes, recipe, report)
        device = device_half(recipe, form.channels, dataset.classes)
        judge = Judge(reference, recipe.channels, recipe.channels)
        warm_up(device, judge, training, recipe, report)
        shape = torch.Size((recipe.channels, form.height // 3, form.width // 3))
        attributor = Attributor(judge, recipe, shape, dataset.classes)
        report(Progress("remap", 0, 1))
        _remap(device, judge, attributor, training, recipe)
        attributor = Attributor(judge, recipe, shape, dataset.classes)
        report(Progress("remap", 1, 1))
        quantiser = Quantiser(recipe.centroids, recipe.hardness)
        server = server_half(recipe, dataset.classes)
        # Depthwise convolutions and their gradients are half as fast again in this layout.
        convert_conv2d_weight_memory_format(server, torch.channels_last)
        network = SplitNetwork(device, quantiser, server, recipe.temperature)
        fit(network, attributor, training, recipe, report)
        report(Progress("evaluate", 0, 1))
        found = evaluate(network, reference, judge, attributor, test)
        report(Progress("evaluate", 1, 1, f"accuracy {found.metrics['accuracy']:.3f}"))
        return _bundle(network, found, dataset, training, recipe, seed)
