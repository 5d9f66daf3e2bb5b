"""The whole system in one call answers as its parts do when a run puts them together, one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hil_tests.unit.training.toy import Toy, recipe
from hil_tests.unit.training.toy_classifiers import EDGE_ONLY, MCUNET

from hil import bundle
from hil.bundle import Bundle
from hil.codec.coder import make_coder
from hil.deploy.evaluate import FloatSystem, Int8Evaluation, evaluate_int8
from hil.deploy.fuse import fuse, make_fusion, symbol_table
from hil.deploy.graph import Graph
from hil.deploy.interpret import interpret
from hil.deploy.package import make_graph
from hil.schemes import registry
from hil.schemes.remote import RemoteHalf
from hil.training.progress import silent

RECIPES = {"agilenn": recipe(), "edge_only": replace(EDGE_ONLY, epochs=4), "mcunet": MCUNET}
Evaluate = Callable[..., Int8Evaluation]
TEST = Toy().load("test")


@pytest.fixture(scope="module")
def bundles() -> dict[str, Bundle]:
    return {name: registry.get(name).train(Toy(), RECIPES[name], 0, None, silent) for name in RECIPES}


@pytest.fixture(scope="module")
def evaluate(bundles: dict[str, Bundle]) -> Evaluate:
    graphs = {name: make_graph(made) for name, made in bundles.items()}

    def evaluated(name: str, images: Any = TEST.images, **options: Any) -> Int8Evaluation:
        return evaluate_int8(bundles[name], images, TEST.labels, graph=graphs[name], **options)

    return evaluated


def _one(made: Bundle, graph: Graph, remote: RemoteHalf | None, image: np.ndarray) -> tuple[int, int]:
    """Prediction and payload bytes of one image, step by step as a run takes them."""
    payload = made.manifest.payload
    values = interpret(graph, graph.tensor(graph.input).quantise(made.manifest.input.prepare(image[None])))
    local = values[graph.logits].ravel().tolist() if graph.logits else ()
    if payload is None or remote is None or graph.feature is None:
        return int(np.argmax(local)), 0
    sent = values[graph.feature][0, :, :, payload.channel_begin : payload.channel_begin + payload.channels]
    table = symbol_table(graph.tensor(graph.feature), payload.centroids)
    packed = make_coder(payload, {}).encode(table[sent.transpose(2, 0, 1).ravel().astype(int) + 128])
    fusion = make_fusion(made.manifest.alpha, graph.tensor(graph.logits) if graph.logits else None)
    return int(np.argmax(fuse(fusion, local, remote.infer([packed])[0].tolist()))), len(packed)


@pytest.mark.parametrize("name", RECIPES)
def test_it_answers_as_a_run_would(bundles: dict[str, Bundle], name: str, tmp_path: Path) -> None:
    made = bundles[name]
    graph = make_graph(made)
    found = evaluate_int8(made, TEST.images, TEST.labels, graph=graph)
    bundle.save(made, tmp_path / "b.safetensors")
    remote = RemoteHalf(tmp_path / "b.safetensors") if made.manifest.payload else None
    assert found.payload_bytes is not None
    for index in range(6):
        expected = _one(made, graph, remote, TEST.images[index])
        assert (found.predictions[index], found.payload_bytes[index]) == expected
    assert not found.exited.any()


@pytest.mark.parametrize("name", RECIPES)
def test_the_float_predictions_are_those_of_the_training(
    bundles: dict[str, Bundle], evaluate: Evaluate, name: str
) -> None:
    made = bundles[name]
    found = evaluate(name, sizes=False)
    assert np.array_equal(found.float_predictions, made.tensors["record.predictions"])
    assert found.float_accuracy == made.manifest.metrics["accuracy"]
    assert found.drop == found.float_accuracy - found.accuracy
    assert found.payload_bytes is None


def test_float_predictions_that_are_known_are_taken(evaluate: Evaluate) -> None:
    known = (TEST.labels + 1) % 2
    found = evaluate("agilenn", sizes=False, float_predictions=known)
    assert np.array_equal(found.float_predictions, known)
    assert found.drop == found.float_accuracy - found.accuracy


def test_batches_do_not_change_the_answers(evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = evaluate("agilenn")
    monkeypatch.setattr("hil.deploy.evaluate._BATCH_MAX", 5)
    in_parts = evaluate("agilenn")
    for name in ("predictions", "local_predictions", "payload_bytes", "float_predictions"):
        assert np.array_equal(getattr(at_once, name), getattr(in_parts, name))


def test_bytes_and_floats_are_one_image(evaluate: Evaluate) -> None:
    levels = np.rint(TEST.images * 255).astype(np.uint8)
    given = [levels, (levels / 255).astype(np.float32)]
    one, other = (evaluate("agilenn", images) for images in given)
    assert np.array_equal(one.predictions, other.predictions)


def test_schemes_without_local_logits_have_no_local_predictions(evaluate: Evaluate) -> None:
    found = evaluate("edge_only")
    assert found.local_predictions is None
    assert found.local_accuracy is None


@pytest.mark.parametrize("every", [1, 3])
def test_where_the_local_answer_stands_nothing_is_sent(evaluate: Evaluate, every: int) -> None:
    plain = evaluate("agilenn")
    found = evaluate("agilenn", sure=lambda logits: np.arange(len(logits)) % every == 0)
    assert found.exited.sum() == len(TEST) // every
    for name in ("predictions", "payload_bytes"):
        assert np.array_equal(getattr(found, name)[~found.exited], getattr(plain, name)[~found.exited])
    assert found.local_predictions is not None
    assert found.payload_bytes is not None
    assert np.array_equal(found.predictions[found.exited], found.local_predictions[found.exited])
    assert not found.payload_bytes[found.exited].any()


@pytest.mark.parametrize(("confidence", "alone"), [(0.0, True), (1.01, False)])
def test_the_float_system_exits_where_the_manifest_says(
    bundles: dict[str, Bundle], confidence: float, alone: bool
) -> None:
    made = bundles["agilenn"]
    exiting = replace(made, manifest=replace(made.manifest, exit_confidence=confidence, alpha=0.0))
    mute = replace(exiting, manifest=replace(exiting.manifest, exit_confidence=None))
    local = replace(mute, manifest=replace(mute.manifest, alpha=1.0))
    inputs = made.manifest.input.prepare(TEST.images)
    expected = FloatSystem(local if alone else mute).predict(inputs)
    assert np.array_equal(FloatSystem(exiting).predict(inputs), expected)
