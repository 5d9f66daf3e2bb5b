"""DeepCOD from data set to bundle, on the toy data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hil import bundle
from hil.bundle import Bundle
from hil.data import registry as datasets
from hil.deploy.fuse import symbol_table
from hil.deploy.graph import Graph
from hil.deploy.interpret import interpret
from hil.deploy.package import make_graph
from hil.errors import TrainingError
from hil.schemes.deepcod import DeepCod
from hil.schemes.remote import RemoteHalf
from hil.training import api, metrics
from hil.training.batches import Batches
from hil.training.deepcod_recipe import DeepCodRecipe
from hil.training.progress import silent
from hil_tests.unit.training.toy import Toy
from hil_tests.unit.training.toy_deepcod import DEEPCOD

SHORT = replace(DEEPCOD, teacher_epochs=2, epochs=2, batch=16, optimiser="sgd", crop_padding=1)


@pytest.fixture(scope="module")
def made() -> Bundle:
    return trained(DEEPCOD)


@pytest.fixture(scope="module")
def short() -> Bundle:
    return trained(SHORT)


@pytest.fixture(scope="module")
def graph(made: Bundle) -> Graph:
    return make_graph(made)


@pytest.fixture(scope="module")
def remote(made: Bundle, tmp_path_factory: pytest.TempPathFactory) -> RemoteHalf:
    path: Path = tmp_path_factory.mktemp("deepcod") / "toy.safetensors"
    bundle.save(made, path)
    return RemoteHalf(path)


def trained(recipe: DeepCodRecipe, seed: int = 0) -> Bundle:
    return DeepCod().train(Toy(), recipe, seed, None, silent)


def same(one: Bundle, other: Bundle) -> bool:
    return one.manifest == other.manifest and all(
        np.array_equal(one.tensors[name], other.tensors[name]) for name in one.tensors
    )


def test_it_learns_the_toy_data_set(made: Bundle) -> None:
    assert made.manifest.metrics["accuracy"] > 0.9
    assert made.manifest.metrics["teacher_accuracy"] > 0.9


def test_the_same_seed_gives_the_same_bundle_and_another_seed_another(short: Bundle) -> None:
    other = trained(SHORT, seed=1)
    assert same(trained(SHORT), short)
    assert not np.array_equal(short.tensors["device.body.0.weight"], other.tensors["device.body.0.weight"])


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_training_killed_in_either_phase_ends_in_the_same_bundle(
    short: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, epoch: int
) -> None:
    monkeypatch.setitem(datasets._DATASETS, "toy", Toy())
    monkeypatch.setattr(DeepCod, "recipe", lambda self, dataset: SHORT)
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    begun, shuffled = 0, Batches.shuffled

    def fatal(batches: Batches) -> Iterator[Any]:
        nonlocal begun
        begun += 1
        if begun == epoch + 1:
            raise KeyboardInterrupt
        return shuffled(batches)

    with monkeypatch.context() as patch:
        patch.setattr(Batches, "shuffled", fatal)
        with pytest.raises(KeyboardInterrupt):
            api.train_bundle("deepcod", "toy")
    api.train_bundle("deepcod", "toy")
    path = api.cached_bundle_path("deepcod", "toy")
    assert same(bundle.load(path), short)
    lines = metrics.read(metrics.path_beside(path))
    assert [line["phase"] for line in lines] == ["teacher"] * 2 + ["distil"] * 2
    assert {"reconstruction", "bits_per_symbol"} <= lines[-1].keys()


def test_the_device_measures_and_answers_nothing(made: Bundle, graph: Graph) -> None:
    assert graph.logits is None
    assert graph.feature is not None
    assert graph.tensor(graph.feature).shape == (3, 3, 4)
    assert len(graph.ops) == 2, "norms and clamps are in the convolutions"
    assert made.manifest.payload is not None
    assert (made.manifest.payload.channels, made.manifest.payload.symbols) == (4, 36)
    assert made.manifest.alpha == 0.0


def test_the_server_answers_what_the_int8_encoder_sends_as_training_recorded(
    made: Bundle, graph: Graph, remote: RemoteHalf
) -> None:
    payload = made.manifest.payload
    assert payload is not None
    assert graph.feature is not None
    inputs = graph.tensor(graph.input).quantise(made.manifest.input.prepare(Toy().load("test").images))
    measured = interpret(graph, inputs)[graph.feature].reshape(len(inputs), 3, 3, 4)
    table = symbol_table(graph.tensor(graph.feature), payload.centroids)
    symbols = table[measured.transpose(0, 3, 1, 2).reshape(len(inputs), -1).astype(np.int16) + 128]
    answers = remote.infer([remote._coder.encode(one) for one in symbols])
    assert np.mean(answers.argmax(axis=1) == made.tensors["record.predictions"]) > 0.9


def test_tables_are_the_training_splits_and_shorten_the_payload(made: Bundle) -> None:
    table = made.tensors["codec.frequencies"]
    assert table.shape == (4, 8)
    figures = made.manifest.metrics
    assert 0 < figures["payload_bytes"] <= figures["payload_raw_bytes"] + 1


@pytest.mark.parametrize("codec", ["huffman", "lz4", "none"])
def test_every_codec_can_pack_the_measurements(codec: str) -> None:
    recipe = replace(SHORT, teacher_epochs=1, epochs=1, codec=codec)
    made = trained(recipe)
    assert made.manifest.payload is not None
    assert made.manifest.payload.codec == codec
    assert made.manifest.metrics["payload_bytes"] > 0


def test_a_dear_rate_makes_small_payloads(made: Bundle) -> None:
    dear = trained(replace(DEEPCOD, rate=2.0)).manifest.metrics
    assert dear["payload_bytes"] < 0.8 * made.manifest.metrics["payload_bytes"]


def test_the_device_half_is_normalised_unless_told_otherwise(made: Bundle) -> None:
    norms = [
        torch.linalg.matrix_norm(torch.from_numpy(one.tensors["device.body.0.weight"]).flatten(1), 2).item()
        for one in (made, trained(replace(SHORT, spectral=False)))
    ]
    assert norms[0] == pytest.approx(1, abs=0.05)
    assert norms[1] != pytest.approx(1, abs=0.05)


def test_an_encoder_that_leaves_nothing_is_refused_before_training() -> None:
    with pytest.raises(TrainingError, match="leaves nothing of an input of 18 × 18"):
        trained(replace(DEEPCOD, encoder=((7, 8, 1, 7), (3, 8, 1, 3))))
