"""Edge-only: what the server gets is what the camera gave, whatever the pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from hil import bundle, data
from hil.bundle import Bundle
from hil.codec.coder import make_coder
from hil.data.dataset import Split
from hil.deploy.codecs.symbols import calibration_symbols
from hil.deploy.fuse import symbol_table
from hil.deploy.graph import Graph
from hil.deploy.lower import plain
from hil.deploy.package import make_graph
from hil.deploy.plan import buffers_of, plan
from hil.deploy.program import DeviceHalf
from hil.schemes.edge_only import EdgeOnly
from hil.schemes.halves import load_server
from hil.schemes.remote import RemoteHalf
from hil.session.samples import Samples
from hil.training.batches import input_format
from hil.training.edge_only import as_bytes, stored_format, whole
from hil.training.progress import silent
from hil_tests.unit.training.toy import Toy
from hil_tests.unit.training.toy_classifiers import EDGE_ONLY

IMAGES = npst.arrays(np.uint8, (6, 6, 3))


@pytest.fixture(scope="module")
def made() -> Bundle:
    return EdgeOnly().train(Toy(), EDGE_ONLY, 0, None, silent)


@pytest.fixture(scope="module")
def graph(made: Bundle) -> Graph:
    return make_graph(made)


@pytest.fixture(scope="module")
def remote(made: Bundle, tmp_path_factory: pytest.TempPathFactory) -> RemoteHalf:
    path: Path = tmp_path_factory.mktemp("edge") / "edge.safetensors"
    bundle.save(made, path)
    return RemoteHalf(path)


def payload_of(made: Bundle, graph: Graph, image: NDArray[np.uint8] | NDArray[np.float32]) -> bytes:
    """What the device sends of a stored image: its int8 input through the centroid table and the coder."""
    manifest = made.manifest
    assert manifest.payload is not None
    samples = Samples(Split(image[None], np.zeros(1, np.int64)))
    device = samples.device_input(0, manifest.input, graph.tensor(graph.input))
    table = symbol_table(graph.tensor(graph.input), manifest.payload.centroids)
    planar = device.transpose(2, 0, 1).ravel().astype(np.int16)
    return make_coder(manifest.payload, {}).encode(table[planar + 128])


def test_the_device_computes_nothing_and_sends_its_input(made: Bundle, graph: Graph) -> None:
    assert graph.ops == ()
    assert graph.logits is None
    assert graph.feature == graph.input
    assert not made.part("device")
    assert made.manifest.alpha == 0.0


def test_an_int8_is_a_pixel_less_128(graph: Graph) -> None:
    tensor = graph.tensor(graph.input)
    assert tensor.zero_point == -128
    assert tensor.scale == pytest.approx(1 / 255)


def test_codecs_get_their_tables_from_pictures_it_was_trained_on(made: Bundle, graph: Graph) -> None:
    seen = made.tensors["record.calibration"]
    assert np.array_equal(seen, as_bytes(Toy().load("train")).images)
    assert calibration_symbols(made, graph).shape == (len(seen), seen[0].size)


@given(image=IMAGES)
def test_every_pixel_arrives(
    made: Bundle, graph: Graph, remote: RemoteHalf, image: NDArray[np.uint8]
) -> None:
    arrived = remote.decode(payload_of(made, graph, image)) * 255
    np.testing.assert_allclose(arrived, image.transpose(2, 0, 1), atol=1e-4)


@given(npst.arrays(np.float32, (6, 6, 3), elements=st.floats(0, 1, width=32)))
def test_grey_levels_are_rounded_as_the_device_rounds_them(
    made: Bundle, graph: Graph, remote: RemoteHalf, image: NDArray[np.float32]
) -> None:
    stored = as_bytes(Split(image[None], np.zeros(1, np.int64))).images[0]
    arrived = remote.decode(payload_of(made, graph, image)) * 255
    exact = image.astype(np.float64) * 255
    assert np.abs(stored - exact).max() <= 0.5
    clear = (np.abs(exact % 1 - 0.5) > 1e-4).transpose(2, 0, 1)
    np.testing.assert_allclose(arrived[clear], stored.transpose(2, 0, 1)[clear], atol=1e-4)


def test_the_digits_own_levels_are_rounded_alike_and_stay_apart(graph: Graph) -> None:
    levels = (np.arange(17) / np.float32(16)).astype(np.float32)[None, :, None, None]
    stored = as_bytes(Split(levels, np.zeros(1, np.int64))).images
    assert np.array_equal(graph.tensor(graph.input).quantise(levels) + np.int16(128), stored)
    assert len(np.unique(stored)) == 17


def test_the_server_answers_as_training_recorded(made: Bundle, graph: Graph, remote: RemoteHalf) -> None:
    images = Toy().load("test").images
    answers = remote.infer([payload_of(made, graph, image) for image in images])
    assert np.mean(answers.argmax(axis=1) == made.tensors["record.predictions"]) > 0.95


@given(IMAGES)
@settings(max_examples=20)
def test_the_server_normalises_and_upscales_as_a_device_half_gets_it(
    made: Bundle, image: NDArray[np.uint8]
) -> None:
    server = load_server(made)
    seen: list[torch.Tensor] = []
    hook = server.get_submodule("stem").register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    server(torch.from_numpy(image.transpose(2, 0, 1)[None].astype(np.float32) / 255))
    hook.remove()
    toy = Toy()
    prepared = (image / 255 - np.array(toy.mean)) / np.array(toy.std)
    upscaled = prepared.repeat(toy.upscale, axis=0).repeat(toy.upscale, axis=1)
    np.testing.assert_allclose(seen[0][0].numpy(), upscaled.transpose(2, 0, 1), atol=1e-5)


@pytest.mark.parametrize(("name", "side"), [("digits", 8), ("cifar10", 32)])
def test_the_stem_brings_the_image_to_agilenns_map(name: str, side: int) -> None:
    dataset = data.get(name)
    network = whole(EdgeOnly().recipe(dataset), input_format(dataset), dataset.classes).eval()
    form = stored_format(dataset)
    shapes: list[torch.Size] = []
    network.stem.register_forward_hook(lambda _, inputs, output: shapes.append(output.shape))
    logits = network(torch.zeros(1, form.channels, form.height, form.width))
    assert shapes == [(1, 24, side, side)]
    assert logits.shape == (1, dataset.classes)


@pytest.mark.parametrize("codec", ["lzw", "none"])
def test_input_and_payload_share_the_arena_of_a_graph_without_layers(
    made: Bundle, graph: Graph, codec: str
) -> None:
    assert made.manifest.payload is not None
    coder = make_coder(replace(made.manifest.payload, codec=codec), {})
    placed = plan(buffers_of(plain(DeviceHalf(graph, coder))))
    by_name = {buffer.name: buffer for buffer in placed.buffers}
    assert by_name[graph.input].last == by_name["symbols"].first, "the quantiser still reads the input"
    assert placed.arena_bytes >= coder.capacity + coder.form.symbols
