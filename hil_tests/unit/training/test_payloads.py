"""What a trained network sends, how it is packed, and what the answer is worth when it ends early."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from hil.bundle import Bundle
from hil.codec.coder import make_coder
from hil.data.dataset import Split
from hil.schemes import prefix
from hil.schemes.agilenn import AgileNN
from hil.schemes.halves import load_device, load_server
from hil.training import payloads
from hil.training.agilenn import cut_network, device_half
from hil.training.batches import Batches, input_format
from hil.training.progress import silent
from hil.training.quantiser import nearest
from hil.training.recipe import AgileRecipe
from hil.training.run import Run
from hil.training.split_network import SplitNetwork
from hil_tests.unit.training.toy import Toy, recipe

CHEAP: dict[str, Any] = {"reference_epochs": 1, "attribution_every": 100, "follow_rate": 0.0}
PROGRESSIVE = recipe(codec="range", progressive=True)


def _train(chosen: AgileRecipe) -> Bundle:
    return AgileNN().train(Toy(), chosen, 0, None, silent)


@pytest.fixture(scope="module")
def progressive() -> Bundle:
    return _train(PROGRESSIVE)


def _untrained(chosen: AgileRecipe) -> SplitNetwork:
    torch.manual_seed(0)
    return cut_network(device_half(chosen, 3, 3), 3, chosen, torch.device("cpu")).eval()


@torch.no_grad()
def _test_split(made: Bundle) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the device half of a bundle makes of the test split: local logits, features, centroids."""
    images = Toy().load("test").images
    local, features = load_device(made)(torch.from_numpy(made.manifest.input.prepare(images)).movedim(3, 1))
    assert made.manifest.payload is not None
    return local, features, torch.tensor(made.manifest.payload.centroids)


@pytest.mark.parametrize("codec", ["range", "huffman", "none", "lzw"])
def test_what_the_test_split_sends_comes_back(codec: str) -> None:
    made = _train(recipe(**CHEAP, epochs=1, codec=codec))
    form = made.manifest.payload
    assert form is not None
    assert form.codec == codec
    coder = make_coder(form, made.part("codec"))
    _, features, centroids = _test_split(made)
    sizes = []
    for sent in nearest(features[:, form.channel_begin :], centroids).to(torch.uint8).numpy():
        packed = coder.encode(sent.reshape(-1))
        assert np.array_equal(coder.decode(packed), sent.reshape(-1))
        sizes.append(len(packed))
    metrics = made.manifest.metrics
    assert metrics["payload_bytes"] == pytest.approx(np.mean(sizes))
    if codec == "lzw":
        assert "payload_bytes_p95" not in metrics  # as in bundles that are older than this figure
    else:
        assert metrics["payload_bytes_p95"] == pytest.approx(np.percentile(sizes, 95))


class _Sorted(Toy):
    """The toy's training split by class, as some publishers' are."""

    def load(self, split: Any, data_dir: Any = None) -> Split:
        found = super().load(split)
        order = np.argsort(found.labels, kind="stable")
        return Split(found.images[order], found.labels[order])


@pytest.mark.parametrize("batch", [5, 16, 48])
def test_tables_of_many_samples_look_at_every_nth_whatever_the_batches(
    monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(payloads, "_TABLE_SAMPLES", 10)
    seen: list[torch.Tensor] = []
    symbols = payloads.symbols
    monkeypatch.setattr(
        payloads, "symbols", lambda network, features: seen.append(features) or symbols(network, features)
    )
    chosen, form = recipe(codec="range", batch=batch), input_format(_Sorted())
    network = _untrained(chosen)
    training = Batches(_Sorted().load("train"), form, chosen)
    payloads.packing(network, form, training, chosen)
    with torch.no_grad():
        whole = torch.cat(
            [network.device.extract(training.upscaled(part)) for part, _ in training.in_order()]
        )
    assert torch.allclose(torch.cat(seen), whole[::5], atol=1e-5)


def test_without_a_cut_in_training_the_network_is_that_of_the_default(progressive: Bundle) -> None:
    plain = _train(recipe())
    uncut = _train(recipe(codec="range", progressive=True, whole_share=1.0))
    for name in plain.tensors:
        assert np.array_equal(plain.tensors[name], uncut.tensors[name]), name
    assert any(not np.array_equal(plain.tensors[name], progressive.tensors[name]) for name in plain.tensors)


def test_a_progressive_bundle_says_so_and_what_its_prefixes_are_worth(progressive: Bundle) -> None:
    form, metrics = progressive.manifest.payload, progressive.manifest.metrics
    assert form is not None
    assert form.progressive
    local, features, centroids = _test_split(progressive)
    values = centroids[nearest(features[:, form.channel_begin :], centroids)].detach().numpy()
    server, labels = load_server(progressive), Toy().load("test").labels
    cuts = prefix.measured(form.channels) | {"accuracy": form.channels}
    for name, complete in cuts.items():
        arrived = np.stack([prefix.known(sample, complete) for sample in values])
        alpha = progressive.manifest.alpha
        with torch.no_grad():
            fused = alpha * local + (1 - alpha) * server(torch.from_numpy(arrived))
        assert metrics[name] == pytest.approx(np.mean(fused.argmax(1).numpy() == labels)), name


def test_a_payload_that_is_always_whole_has_no_figures_of_its_parts() -> None:
    metrics = _train(recipe(**CHEAP, epochs=1, codec="range")).manifest.metrics
    assert not [name for name in metrics if name.startswith("accuracy_at")]


def test_what_is_never_sent_teaches_the_server_nothing() -> None:
    never_whole = {"codec": "range", "progressive": True, "whole_share": 0.0, "weight_decay": 0.0}
    short, long = (
        _train(recipe(**CHEAP | never_whole, epochs=epochs)).part("server")["body.0.depthwise.weight"]
        for epochs in (1, 2)
    )
    changed = [not np.array_equal(*pair) for pair in zip(short, long, strict=True)]
    assert changed == [True] * 8 + [False]  # a sample keeps 8 of the 9 remote channels at most


def _bits(weight: float) -> list[float]:
    """A symbol's mean price in every epoch of the training proper."""
    run = Run()
    AgileNN().train(Toy(), recipe(**CHEAP, codec="range", rate_weight=weight, epochs=8), 0, None, run)
    return [epoch["bits_per_symbol"] for epoch in run.history if epoch["phase"] == "train"]


def test_a_price_on_bits_makes_symbols_cheaper() -> None:
    free, dear = _bits(1e-9), _bits(5.0)
    assert len(dear) == 8
    assert dear == sorted(dear, reverse=True)
    assert dear[-1] < 0.9 * free[-1]


def test_without_a_price_there_is_no_such_figure() -> None:
    run = Run()
    AgileNN().train(Toy(), recipe(**CHEAP, epochs=1), 0, None, run)
    assert not any("bits_per_symbol" in epoch for epoch in run.history)
