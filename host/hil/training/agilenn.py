"""AgileNN's training from data set to bundle (MobiCom 2022; facts, "Training")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from hil.bundle import Bundle, Manifest
from hil.data.dataset import Dataset
from hil.schemes.agilenn_device import DeviceHalf
from hil.schemes.agilenn_server import ServerHalf
from hil.training.attribution import Attributor
from hil.training.batches import Batches, input_format
from hil.training.determinism import seeded
from hil.training.device import device_of, identity, settle
from hil.training.evaluate import Evaluation, evaluate
from hil.training.fit import fit
from hil.training.payloads import Packing, packing
from hil.training.pretrain import train_reference, warm_up
from hil.training.progress import Progress, Report
from hil.training.quantisation_aware import PHASE, Adapted, FineTuning, hold_out
from hil.training.quantiser import Quantiser
from hil.training.recipe import AgileRecipe, as_json
from hil.training.reference import Judge
from hil.training.remap import descending_tail, permute, ranking
from hil.training.run import Run
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
    order = ranking(importance, recipe.remapping, recipe.local_channels)
    if recipe.progressive:
        order = descending_tail(order, importance, recipe.local_channels)
    permute(device, judge, order)


def _bundle(
    network: SplitNetwork,
    found: Evaluation,
    packing: Packing,
    adapted: Adapted,
    dataset: Dataset,
    batches: Batches,
    recipe: AgileRecipe,
    seed: int,
) -> Bundle:
    form = input_format(dataset)
    manifest = Manifest(
        scheme="agilenn",
        dataset=dataset.name,
        classes=dataset.classes,
        seed=seed,
        input=form,
        payload=packing.form,
        alpha=network.alpha().item(),
        config={"recipe": as_json(recipe), "local_channels": recipe.local_channels},
        metrics=found.metrics | {"payload_raw_bytes": float(packing.form.raw_bytes)} | adapted.metrics,
    )
    records: dict[str, NDArray[Any]] = {
        "record.predictions": found.predictions,
        "record.calibration": batches.split.images[:_CALIBRATION_SAMPLES],
    }
    weights = arrays("device", network.device) | arrays("server", network.server)
    return Bundle(manifest, weights | packing.tensors | adapted.tensors | records)


def _plan(recipe: AgileRecipe) -> dict[str, tuple[int, float]]:
    """Epochs of every phase, and what one costs beside one of the reference, as seen on the digits."""
    share = recipe.attribution_batch / recipe.batch if recipe.attribution_batch else 1.0
    skewed = 2.5 + 3 * min(1.0, share) / recipe.attribution_every
    plan = {
        "reference": (recipe.reference_epochs, 1.0),
        "warm-up": (recipe.warmup_epochs, 1.0),
        "train": (recipe.epochs, skewed),
    }
    return plan | ({PHASE: (recipe.qat_epochs, skewed)} if recipe.qat_epochs else {})


def train(dataset: Dataset, recipe: AgileRecipe, seed: int, data_dir: Path | None, report: Report) -> Bundle:
    """Trains reference, extractor and both halves; the same seed gives the same bundle.

    Where `report` is a `Run` with a checkpoint, what that has behind it is not trained again.

    Raises DataError when the data set cannot be read, TrainingError when training diverges.
    """
    form, where, run = input_format(dataset), device_of(recipe), Run.of(report)
    known, apart = hold_out(dataset.load("train", data_dir), recipe)
    training = Batches(known, form, recipe, where)
    test = Batches(dataset.load("test", data_dir), form, recipe, where)
    with seeded(seed, recipe.threads):
        run.begin(_plan(recipe), identity(where))
        reference = train_reference(training, dataset.classes, recipe, run)
        device = settle(device_half(recipe, form.channels, dataset.classes), recipe, where)
        judge = settle(Judge(reference, recipe.channels, recipe.channels), recipe, where)
        frozen: dict[str, nn.Module] = {"stem": reference.stem, "judge": judge}
        warm_up(device, judge, training, recipe, {**frozen, "device": device}, run)
        shape = torch.Size((recipe.channels, form.height // 3, form.width // 3))
        attributor = Attributor(judge, recipe, shape, dataset.classes)
        report(Progress("remap", 0, 1))
        if not run.ahead():
            _remap(device, judge, attributor, training, recipe)
        attributor = Attributor(judge, recipe, shape, dataset.classes)
        report(Progress("remap", 1, 1))
        network = cut_network(device, dataset.classes, recipe, where)
        parts = {**frozen, "network": network}
        fit(network, attributor, training, recipe, parts, run)

        def bundle_of(found: Evaluation, packed: Packing, adapted: Adapted) -> Bundle:
            return _bundle(network, found, packed, adapted, dataset, training, recipe, seed)

        def unjudged(adapted: Adapted) -> Bundle:
            return bundle_of(Evaluation.none(), packing(network, form, training, recipe), adapted)

        samples = form.prepare(training.split.images[:_CALIBRATION_SAMPLES])
        tuning = FineTuning(network, attributor, training, recipe, samples, parts)
        adapted = tuning.run(unjudged, apart, run)
        report(Progress("evaluate", 0, 1))
        packed = packing(network, form, training, recipe)
        found = evaluate(network, reference, judge, attributor, test, packed.coder())
        report(Progress("evaluate", 1, 1, f"accuracy {found.metrics['accuracy']:.3f}"))
        return bundle_of(found, packed, adapted)


def cut_network(device: DeviceHalf, classes: int, recipe: AgileRecipe, where: torch.device) -> SplitNetwork:
    """`device` with an untrained quantiser and server half behind it."""
    quantiser = Quantiser(recipe.centroids, recipe.hardness)
    server = server_half(recipe, classes)
    # Depthwise convolutions and their gradients are half as fast again in this layout.
    convert_conv2d_weight_memory_format(server, torch.channels_last)
    network = SplitNetwork(device, quantiser, server, recipe.temperature)
    if recipe.alpha:
        network.fix_alpha(recipe.alpha)
    settle(network, recipe, where)
    if recipe.compile:
        server.compile()
    return network
