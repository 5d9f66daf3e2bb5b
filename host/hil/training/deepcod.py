"""DeepCOD's training from data set to bundle (Yao et al., SenSys 2020)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from hil.bundle import Bundle, InputFormat, Manifest, PayloadFormat
from hil.codec.coder import make_coder
from hil.data.dataset import Dataset
from hil.errors import TrainingError
from hil.schemes.agilenn_server import ServerHalf
from hil.schemes.deepcod_device import Encoder, Size, layers_of, map_sizes
from hil.schemes.deepcod_server import Decoder, DecodingServer, Uncompressed
from hil.training import classify, spectral
from hil.training.batches import Batches, input_format
from hil.training.codec_tables import PREFIX, codec_tables
from hil.training.deepcod_recipe import DeepCodRecipe
from hil.training.determinism import seeded
from hil.training.device import device_of, identity, settle
from hil.training.distil import CompressedNetwork, Phase
from hil.training.progress import Progress, Report
from hil.training.quantiser import Quantiser, nearest
from hil.training.recipe import as_json
from hil.training.run import Run
from hil.training.weights import arrays

_CALIBRATION_SAMPLES = 256
_TABLE_SAMPLES = 10_000
"""From which the coder's tables are made: evenly spread over the training split, which may be sorted."""


def encoder_of(recipe: DeepCodRecipe, inputs: int) -> Encoder:
    """An untrained device half."""
    return Encoder(inputs, recipe.encoder)


def _rest(recipe: DeepCodRecipe, classes: int) -> ServerHalf:
    return ServerHalf(recipe.stem, recipe.server_stem, recipe.server_stages, recipe.server_head, classes)


def server_of(recipe: DeepCodRecipe, form: InputFormat, classes: int) -> DecodingServer:
    """An untrained server half: the decoder goes back the way that the encoder came, map by map."""
    sizes = _sizes(recipe, form)
    way_back = [size for size in reversed(sizes[:-1]) if size != sizes[-1]]
    cut = (form.height // 3, form.width // 3)
    if not way_back or way_back[-1] != cut:
        way_back.append(cut)
    channels = layers_of(recipe.encoder)[-1][1]
    return DecodingServer(
        Decoder(channels, recipe.decoder_width, way_back, recipe.stem), _rest(recipe, classes)
    )


def _sizes(recipe: DeepCodRecipe, form: InputFormat) -> list[Size]:
    sizes = map_sizes(recipe.encoder, form.height, form.width)
    if min(min(size) for size in sizes) < 1:
        raise TrainingError(
            f"the encoder leaves nothing of an input of {form.height} × {form.width}",
            "fewer or smaller strides in the recipe's encoder",
        )
    return sizes


def _networks(
    recipe: DeepCodRecipe, form: InputFormat, classes: int, where: torch.device
) -> tuple[Uncompressed, CompressedNetwork]:
    teacher = Uncompressed(form.channels, recipe.stem, _rest(recipe, classes))
    quantiser = Quantiser(recipe.centroids, recipe.hardness)
    with torch.no_grad():  # measurements lie around the middle, not denser towards 0
        quantiser.parameter.copy_(torch.logit((torch.arange(recipe.centroids) + 0.5) / recipe.centroids))
    network = CompressedNetwork(
        encoder_of(recipe, form.channels), quantiser, server_of(recipe, form, classes)
    )
    if recipe.spectral:
        spectral.normalise(network.encoder)
    for half in (teacher, network.server):
        # Depthwise convolutions and their gradients are half as fast again in this layout.
        convert_conv2d_weight_memory_format(half, torch.channels_last)
    return settle(teacher, recipe, where), settle(network, recipe, where)


@torch.no_grad()
def _symbols(network: CompressedNetwork, batches: Batches, step: int = 1) -> NDArray[np.uint8]:
    """What the device sends of every `step`-th sample of a batch: (samples, channels, pixels)."""
    centroids = torch.tensor(network.quantiser.ascending(), device=batches.where)
    sent = [
        nearest(network.encoder(batches.upscaled(images[::step]))[1], centroids).flatten(2).to(torch.uint8)
        for images, _ in batches.in_order()
    ]
    found: NDArray[np.uint8] = torch.cat(sent).cpu().numpy()
    return found


def _payload(network: CompressedNetwork, recipe: DeepCodRecipe, form: InputFormat) -> PayloadFormat:
    height, width = _sizes(recipe, form)[-1]
    return PayloadFormat(
        channel_begin=0,
        channels=layers_of(recipe.encoder)[-1][1],
        height=height,
        width=width,
        centroids=network.quantiser.ascending(),
        codec=recipe.codec,
    )


def _payload_bytes(
    network: CompressedNetwork, payload: PayloadFormat, tables: dict[str, NDArray[Any]], test: Batches
) -> float:
    """Mean size of an encoded payload."""
    coder = make_coder(payload, {name.removeprefix(PREFIX): table for name, table in tables.items()})
    return float(np.mean([len(coder.encode(one.reshape(-1))) for one in _symbols(network, test)]))


def _bundle(
    network: CompressedNetwork,
    teacher: Uncompressed,
    dataset: Dataset,
    splits: tuple[Batches, Batches],
    recipe: DeepCodRecipe,
    seed: int,
) -> Bundle:
    training, test = splits
    form = input_format(dataset)
    payload = _payload(network, recipe, form)
    spread = max(1, len(training.split) // _TABLE_SAMPLES)
    tables = codec_tables(recipe.codec, _symbols(network, training, spread), payload)
    predictions = classify.predict(network, test)
    labels = test.split.labels
    manifest = Manifest(
        scheme="deepcod",
        dataset=dataset.name,
        classes=dataset.classes,
        seed=seed,
        input=form,
        payload=payload,
        alpha=0.0,
        config={"recipe": as_json(recipe)},
        metrics={
            "accuracy": float(np.mean(predictions == labels)),
            "teacher_accuracy": float(np.mean(classify.predict(teacher, test) == labels)),
            "payload_bytes": _payload_bytes(network, payload, tables, test),
            "payload_raw_bytes": float(payload.raw_bytes),
        },
    )
    records: dict[str, NDArray[Any]] = {
        "record.predictions": predictions,
        "record.calibration": training.split.images[:_CALIBRATION_SAMPLES],
    }
    halves = arrays("device", network.encoder) | arrays("server", network.server)
    return Bundle(manifest, halves | tables | records)


def train(
    dataset: Dataset, recipe: DeepCodRecipe, seed: int, data_dir: Path | None, report: Report
) -> Bundle:
    """Trains the uncompressed network, then both halves; the same seed gives the same bundle.

    Where `report` is a `Run` with a checkpoint, what that has behind it is not trained again.

    Raises DataError when the data set cannot be read, TrainingError when training diverges or the
    encoder does not fit the images.
    """
    form, where, run = input_format(dataset), device_of(recipe), Run.of(report)
    _sizes(recipe, form)
    training = Batches(dataset.load("train", data_dir), form, recipe, where)
    test = Batches(dataset.load("test", data_dir), form, recipe, where)
    with seeded(seed, recipe.threads):
        run.begin({"teacher": (recipe.teacher_epochs, 1.0), "distil": (recipe.epochs, 2.0)}, identity(where))
        teacher, network = _networks(recipe, form, dataset.classes, where)
        if recipe.compile:
            # What the losses call is the parts, so that each is compiled by itself.
            for part in (teacher.stem, teacher.rest, network.server.decoder, network.server.rest):
                part.compile()
        phase = Phase(training, recipe, run)
        phase.train_teacher(teacher)
        network.server.rest.load_state_dict(teacher.rest.state_dict())
        phase.distil(network, teacher)
        spectral.fold(network.encoder)
        report(Progress("evaluate", 0, 1))
        made = _bundle(network, teacher, dataset, (training, test), recipe, seed)
        report(Progress("evaluate", 1, 1, f"accuracy {made.manifest.metrics['accuracy']:.3f}"))
        return made
