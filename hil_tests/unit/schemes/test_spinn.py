"""SPINN's network: one progressive network, whose halves are its own modules wherever it is cut."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hil import data
from hil.codec.coder import make_coder
from hil.deploy.cost import weight_bytes
from hil.deploy.lower import plain
from hil.deploy.package import make_graph
from hil.deploy.plan import buffers_of, plan
from hil.deploy.program import DeviceHalf
from hil.errors import BundleError
from hil.schemes.halves import load_halves
from hil.schemes.spinn import Spinn
from hil.schemes.spinn_network import ExitNetwork, confidence_of
from hil.training.progress import silent
from hil.training.spinn import network_of
from hil_tests.unit.training.test_training import CifarShaped
from hil_tests.unit.training.toy import Toy
from hil_tests.unit.training.toy_classifiers import SPINN

STAGES = st.lists(
    st.tuples(st.integers(1, 3), st.integers(2, 8), st.integers(1, 2), st.integers(1, 2)),
    min_size=2,
    max_size=4,
)


@given(STAGES, st.data())
@settings(max_examples=20)
def test_both_halves_together_are_the_whole(
    stages: list[tuple[int, int, int, int]], draw: st.DataObject
) -> None:
    network = ExitNetwork(2, 4, stages, 6, 10, 5).eval()
    split = draw.draw(st.integers(1, len(stages) - 1))
    x = torch.randn(3, 2, 18, 21)
    whole = network(x)
    local, features = network.device(split)(x)
    server = network.server(split)
    assert len(whole) == len(stages)
    assert torch.allclose(local, whole[split - 1])
    for found, expected in zip(server.progress(features), whole[split:], strict=True):
        assert torch.allclose(found, expected)
    assert torch.allclose(server(features), whole[-1])
    assert features.min() >= 0
    assert features.max() <= 6


@given(st.floats(0, 1), st.integers(0, 1000))
@settings(max_examples=30)
def test_each_sample_gets_the_answer_of_the_first_exit_on_the_server_that_is_sure(
    threshold: float, seed: int
) -> None:
    torch.manual_seed(seed)
    network = ExitNetwork(1, 4, ((1, 4, 1, 1), (2, 6, 1, 1), (2, 6, 1, 2), (1, 8, 1, 1)), 6, 10, 3).eval()
    x = torch.randn(6, 4, 5, 5)
    every = list(network.server(1).progress(x))
    answers = network.server(1, threshold)(x)
    for number, answer in enumerate(answers):
        sure = [logits[number] for logits in every if confidence_of(logits)[number] >= threshold]
        assert torch.allclose(answer, [*sure, every[-1][number]][0], atol=1e-5)


def test_the_server_stops_where_all_are_sure() -> None:
    network = ExitNetwork(1, 4, ((1, 4, 1, 1), (1, 4, 1, 1), (1, 4, 1, 1)), 6, 10, 3).eval()
    run: list[int] = []
    network.stages[2].register_forward_hook(lambda *_: run.append(2))
    network.server(1, 0.1)(torch.randn(2, 4, 5, 5))
    assert run == []
    network.server(1, 1.0)(torch.randn(2, 4, 5, 5))
    assert run == [2]


@pytest.mark.parametrize("name", ["digits", "cifar10", "svhn", "tiny-imagenet-200", "words"])
def test_every_data_set_has_a_network_that_can_be_cut(name: str) -> None:
    dataset = data.get(name)
    height, width, channels = dataset.shape
    x = torch.zeros(2, channels, height * dataset.upscale, width * dataset.upscale)
    for recipe in (Spinn().recipe(dataset), Spinn().small_recipe(dataset)):
        network = network_of(recipe, channels, dataset.classes).eval()
        for split in recipe.splits:
            local, features = network.device(split)(x)
            assert local.shape == (2, dataset.classes)
            assert features[0].numel() <= 0xFFFF, "the device's LZ4 takes no more"
            assert network.server(split)(features).shape == (2, dataset.classes)


@pytest.mark.parametrize("split", [2, 5])
def test_the_full_network_fits_the_board_wherever_it_may_be_cut(split: int) -> None:
    recipe = replace(
        Spinn().recipe(CifarShaped()), epochs=1, batch=2, limit=4, validation=0.5, split=split, flip=False
    )
    made = Spinn().train(CifarShaped(), recipe, 0, None, silent)
    graph = make_graph(made)
    assert made.manifest.payload is not None
    coder = make_coder(made.manifest.payload, {})
    assert sum(map(weight_bytes, graph.ops)) < 900 << 10
    assert plan(buffers_of(plain(DeviceHalf(graph, coder)))).arena_bytes < 256 << 10


@pytest.mark.parametrize("schedule", [None, {}, {"split": "1"}, {"split": 0}, {"split": 3}])
def test_a_manifest_without_a_split_is_refused(schedule: object) -> None:
    made = Spinn().train(Toy(), replace(SPINN, epochs=1), 0, None, silent)
    config = {**made.manifest.config, "schedule": schedule}
    with pytest.raises(BundleError, match="the bundle's split is"):
        load_halves(replace(made, manifest=replace(made.manifest, config=config)))
