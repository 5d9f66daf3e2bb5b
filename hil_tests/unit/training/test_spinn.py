"""SPINN's training: every exit learns, and the bundle holds what the scheduler chose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hil import bundle
from hil.bundle import Bundle
from hil.codec.coder import make_coder
from hil.data import registry as datasets
from hil.data.dataset import Split
from hil.deploy.exit import exits, make_exit
from hil.deploy.fuse import symbol_table
from hil.deploy.interpret import interpret
from hil.deploy.package import make_graph
from hil.errors import TrainingError, UsageError
from hil.schemes.remote import RemoteHalf
from hil.schemes.spinn import Spinn
from hil.training import api
from hil.training.batches import Batches
from hil.training.fit_exits import exit_weights
from hil.training.progress import Progress, silent
from hil.training.recipe import as_json, override
from hil.training.spinn import held_out
from hil.training.spinn_recipe import SpinnRecipe
from hil_tests.unit.training.toy import RECIPE, Toy
from hil_tests.unit.training.toy_classifiers import SPINN


def trained(seed: int = 0, **changes: Any) -> Bundle:
    return Spinn().train(Toy(), replace(SPINN, **changes), seed, None, silent)


@pytest.fixture(scope="module")
def made() -> Bundle:
    return trained()


def test_every_exit_learns_what_can_be_learned(made: Bundle) -> None:
    metrics = made.manifest.metrics
    assert metrics["end_accuracy"] > 0.9, "a brightest row is easy to find"
    assert metrics["local_accuracy"] > 0.6
    assert metrics["accuracy"] > 0.8


def test_the_manifest_says_when_the_exit_stands_and_blends_nothing(made: Bundle) -> None:
    manifest, schedule = made.manifest, made.manifest.config["schedule"]
    assert manifest.exit_confidence == schedule["confidence"]
    assert manifest.alpha == 0.0
    assert manifest.payload is not None
    assert manifest.payload.codec == "lz4"
    assert len(manifest.payload.centroids) == 256
    assert schedule["split"] in SPINN.splits


def test_exits_and_replies_together_are_right(made: Bundle, tmp_path: Path) -> None:
    made = replace(made, manifest=replace(made.manifest, exit_confidence=_middling(made)))
    bundle.save(made, tmp_path / "spinn.safetensors")
    local, alone, payloads = _deployed(made)
    assert 0 < alone.sum() < len(alone)
    remote = RemoteHalf(tmp_path / "spinn.safetensors").infer(payloads)
    answers = np.where(alone, local.argmax(1), remote.argmax(1))
    assert np.mean(answers == Toy().load("test").labels) > 0.8


def test_the_deployed_arithmetic_gives_the_recorded_predictions(made: Bundle, tmp_path: Path) -> None:
    bundle.save(made, tmp_path / "spinn.safetensors")
    local, alone, payloads = _deployed(made)
    remote = RemoteHalf(tmp_path / "spinn.safetensors").infer(payloads)
    answers = np.where(alone, local.argmax(1), remote.argmax(1))
    assert np.mean(answers == made.tensors["record.predictions"]) > 0.9


def _deployed(made: Bundle) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[bytes]]:
    """Local int8 logits, who exits, and payloads of the test split, by the int8 graph."""
    graph, manifest = make_graph(made), made.manifest
    assert graph.logits is not None
    assert graph.feature is not None
    assert manifest.payload is not None
    assert manifest.exit_confidence is not None
    inputs = graph.tensor(graph.input).quantise(manifest.input.prepare(Toy().load("test").images))
    values = interpret(graph, inputs)
    local = values[graph.logits].reshape(len(inputs), -1)
    rule = make_exit(manifest.exit_confidence, graph.tensor(graph.logits))
    table = symbol_table(graph.tensor(graph.feature), manifest.payload.centroids)
    planar = values[graph.feature].transpose(0, 3, 1, 2).reshape(len(inputs), -1).astype(np.int16)
    coder = make_coder(manifest.payload, {})
    payloads = [coder.encode(symbols) for symbols in table[planar + 128]]
    return local, np.array([exits(rule, logits) for logits in local]), payloads


def _middling(made: Bundle) -> float:
    """A threshold that about half of the samples reach."""
    graph = make_graph(made)
    local, _, _ = _deployed(made)
    assert graph.logits is not None
    real = torch.from_numpy(local.astype(np.float32) * graph.tensor(graph.logits).scale)
    return float(real.softmax(1).amax(1).median())


def test_metrics_are_those_of_the_recorded_predictions(made: Bundle) -> None:
    metrics, labels = made.manifest.metrics, Toy().load("test").labels
    assert metrics["accuracy"] == np.mean(made.tensors["record.predictions"] == labels)
    assert 0 <= metrics["exit_share"] <= 1
    assert metrics["payload_bytes"] <= (1 - metrics["exit_share"]) * 1.1 * metrics["payload_raw_bytes"]


@pytest.mark.parametrize("split", [1, 2])
def test_a_split_that_is_asked_for_is_taken(split: int) -> None:
    found = trained(split=split, epochs=1)
    assert found.manifest.config["schedule"]["split"] == split
    assert found.manifest.payload is not None
    assert found.manifest.payload.channels == SPINN.stages[split - 1][1]


@pytest.mark.parametrize("change", [{"levels": 16}, {"codec": "none"}, {"limit": 24}, {"optimiser": "sgd"}])
def test_every_option_trains(change: dict[str, Any]) -> None:
    assert np.isfinite(trained(epochs=1, **change).manifest.metrics["accuracy"])


def test_the_same_seed_gives_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    written = []
    for number, seed in enumerate((0, 0, 1)):
        path = tmp_path / f"{number}.safetensors"
        bundle.save(trained(seed, epochs=1), path)
        assert bundle.load(path).manifest == trained(seed, epochs=1).manifest
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert written[0] != written[2]


def test_every_phase_reports_its_end() -> None:
    seen: list[Progress] = []
    Spinn().train(Toy(), replace(SPINN, epochs=2), 0, None, seen.append)
    assert [p.phase for p in seen if p.done == p.total] == ["train", "schedule", "evaluate"]


class Killed(BaseException):
    """What no part of a training may catch."""


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_training_that_was_killed_ends_in_the_same_bundle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, epoch: int
) -> None:
    recipe = replace(SPINN, epochs=3, optimiser="sgd", learning_rate=0.05, crop_padding=1)
    monkeypatch.setitem(datasets._DATASETS, "toy", Toy())
    monkeypatch.setattr(Spinn, "recipe", lambda self, dataset: recipe)
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(Batches, "shuffled", _fatal_in(epoch))
        with pytest.raises(Killed):
            api.train_bundle("spinn", "toy")
    api.train_bundle("spinn", "toy")
    found = bundle.load(api.cached_bundle_path("spinn", "toy"))
    whole = Spinn().train(Toy(), recipe, 0, None, silent)
    assert found.manifest == whole.manifest
    assert all(np.array_equal(found.tensors[name], whole.tensors[name]) for name in whole.tensors)
    assert not list((tmp_path / "checkpoints").iterdir())


def _fatal_in(epoch: int) -> Callable[[Batches], Iterator[Any]]:
    shuffled, begun = Batches.shuffled, iter(range(100))

    def fatal(batches: Batches) -> Iterator[Any]:
        if next(begun) == epoch:
            raise Killed
        yield from shuffled(batches)

    return fatal


@given(st.integers(6, 200), st.floats(0.02, 0.5), st.integers(0, 50))
def test_what_the_scheduler_sees_is_not_trained_on(count: int, share: float, limit: int) -> None:
    split = Split(np.arange(count, dtype=np.float32).reshape(-1, 1, 1, 1), np.arange(count))
    seen, unseen = held_out(split, replace(SPINN, validation=share, limit=limit))
    assert not set(seen.labels) & set(unseen.labels)
    assert set(seen.labels) | set(unseen.labels) == set(range(min(count, limit or count)))
    assert np.array_equal(unseen.images.ravel(), unseen.labels)


@given(st.floats(0, 2), st.integers(2, 9))
def test_the_exits_weights_lie_on_a_line_and_sum_to_1(first: float, exits_: int) -> None:
    weights = exit_weights(first, exits_)
    assert sum(weights) == pytest.approx(1)
    assert weights[0] == pytest.approx(first * weights[-1])
    assert np.diff(weights, 2) == pytest.approx(np.zeros(exits_ - 2))


def test_a_loss_that_is_no_number_stops_training() -> None:
    with pytest.raises(TrainingError, match="diverged in phase 'train'"):
        trained(optimiser="sgd", learning_rate=1e30)


def test_a_foreign_recipe_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be trained by a AgileRecipe"):
        Spinn().train(Toy(), RECIPE, 0, None, silent)


@pytest.mark.parametrize(
    "change",
    [
        {"stages": [[1, 8, 1, 1]]},
        {"split": 7},
        {"deepest_split": 0},
        {"levels": 257},
        {"levels": 1},
        {"validation": 0.0},
        {"codec": "huffman"},
        {"planned_radio": "none"},
    ],
)
def test_a_setting_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        override(SpinnRecipe(), change)


def test_the_scheduler_may_not_go_deeper_than_the_device() -> None:
    assert list(SpinnRecipe().splits) == [1, 2, 3, 4, 5]
    assert list(SPINN.splits) == [1, 2]
    assert list(replace(SPINN, deepest_split=1).splits) == [1]


def test_a_bundle_keeps_the_recipe(made: Bundle) -> None:
    assert made.manifest.config["recipe"] == as_json(SPINN)
