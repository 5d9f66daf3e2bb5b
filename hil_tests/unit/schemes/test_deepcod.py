"""DeepCOD's halves fit each other, whatever the recipe's encoder and the data set's images."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hil import data
from hil.bundle import InputFormat
from hil.errors import UsageError
from hil.schemes.deepcod import DeepCod
from hil.schemes.deepcod_device import Encoder, map_sizes
from hil.schemes.deepcod_server import SelfAttention
from hil.training.batches import input_format
from hil.training.deepcod import encoder_of, server_of
from hil.training.deepcod_recipe import DeepCodRecipe
from hil_tests.unit.training.toy_classifiers import EDGE_ONLY
from hil_tests.unit.training.toy_deepcod import DEEPCOD

ROWS = st.lists(
    st.tuples(st.sampled_from([1, 3, 5]), st.integers(1, 6), st.integers(1, 2), st.integers(1, 3)).filter(
        lambda row: row[3] <= row[0]
    ),
    min_size=1,
    max_size=3,
)


@given(ROWS, st.integers(6, 20), st.integers(6, 20), st.integers(1, 3))
@settings(max_examples=40)
def test_maps_have_the_sizes_that_were_foretold_and_measurements_their_range(
    rows: list[tuple[int, int, int, int]], height: int, width: int, inputs: int
) -> None:
    sizes = map_sizes(rows, height, width)
    assume(min(min(size) for size in sizes) >= 1)
    encoder = Encoder(inputs, rows).eval()
    logits, measured = encoder(10 * torch.randn(2, inputs, height, width))
    assert logits is None
    assert measured.shape == (2, rows[-1][1], *sizes[-1])
    assert measured.min() >= 0
    assert measured.max() <= 6


@given(ROWS, st.integers(2, 8), st.integers(2, 8))
@settings(max_examples=25, deadline=None)
def test_the_decoder_gives_back_the_map_of_the_uncompressed_network(
    rows: list[tuple[int, int, int, int]], high: int, wide: int
) -> None:
    form = InputFormat(3 * high, 3 * wide, 3, 3, (0.0,) * 3, (1.0,) * 3)
    sizes = map_sizes(rows, form.height, form.width)
    assume(min(min(size) for size in sizes) >= 1)
    recipe = DeepCodRecipe(**{**vars(DEEPCOD), "encoder": tuple(rows)})
    server = server_of(recipe, form, 5).eval()
    values = torch.rand(2, rows[-1][1], *sizes[-1])
    rebuilt = server.decoder(values)
    assert rebuilt.shape == (2, recipe.stem, high, wide)
    assert rebuilt.min() >= 0
    assert rebuilt.max() <= 6
    assert server(values).shape == (2, 5)


@pytest.mark.parametrize("size", ["recipe", "small_recipe"])
@pytest.mark.parametrize("name", ["digits", "cifar10", "svhn", "words"])
def test_every_data_set_has_halves_that_fit(name: str, size: str) -> None:
    dataset = data.get(name)
    form = input_format(dataset)
    recipe: DeepCodRecipe = getattr(DeepCod(), size)(dataset)
    encoder, server = (
        encoder_of(recipe, form.channels).eval(),
        server_of(recipe, form, dataset.classes).eval(),
    )
    _, measured = encoder(torch.zeros(1, form.channels, form.height, form.width))
    assert server(measured).shape == (1, dataset.classes)
    assert measured[0].numel() * 3 / 8 <= dataset.shape[0] * dataset.shape[1] * dataset.shape[2]


@given(st.integers(1, 20), st.integers(1, 7), st.integers(1, 7))
@settings(max_examples=25)
def test_attention_starts_as_nothing_and_then_sees_the_whole_map(
    channels: int, height: int, width: int
) -> None:
    attention = SelfAttention(channels)
    x = torch.randn(1, channels, height, width)
    assert torch.equal(attention(x), x)
    torch.nn.init.ones_(attention.gain)
    x.requires_grad_()
    torch.autograd.backward(attention(x)[0, :, 0, 0].sum())
    assert x.grad is not None
    assert (x.grad.abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("centroids", 1, "centroids"),
        ("distillation", 1.5, "distillation"),
        ("temperature", 0.0, "positive"),
        ("encoder", (), "no layer"),
        ("encoder", ((4, 8, 1, 2),), "kernel of 4"),
        ("encoder", ((4, 8, 2, 4),), "kernel of 4"),
        ("encoder", ((3, 8, 1, 4),), "unseen"),
        ("rate", -1.0, "not negative"),
    ],
)
def test_a_recipe_that_cannot_be_trained_is_refused(setting: str, value: object, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        DeepCodRecipe(**{**vars(DEEPCOD), setting: value})
    assert reason in f"{caught.value} {caught.value.hint}"


def test_another_schemes_recipe_is_refused() -> None:
    with pytest.raises(UsageError, match="EdgeOnlyRecipe"):
        DeepCod().train(data.get("digits"), EDGE_ONLY, 0, None, lambda progress: None)
