"""A training that was killed goes on where it was, and ends where it would have ended anyway."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from hil import bundle
from hil.bundle import Bundle
from hil.data import registry as datasets
from hil.schemes.agilenn import AgileNN
from hil.training import api, checkpoint, metrics, state
from hil.training.batches import Batches
from hil.training.checkpoint import Checkpoint, UnusableCheckpoint
from hil.training.progress import Progress, Report, silent
from hil.training.recipe import AgileRecipe
from hil_tests.unit.training.toy import Toy, recipe

RECIPE = recipe(epochs=3, reference_epochs=2, warmup_epochs=2, optimiser="sgd", crop_padding=1, batch=24)
EPOCHS = 7
"""Of all phases together."""


class Killed(BaseException):
    """What no part of a training may catch."""


@pytest.fixture(scope="module")
def whole() -> Bundle:
    return AgileNN().train(Toy(), RECIPE, 0, None, silent)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setitem(datasets._DATASETS, "toy", Toy())
    monkeypatch.setattr(AgileNN, "recipe", lambda self, dataset: RECIPE)
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    return tmp_path


def _killed_in(epoch: int) -> Callable[[Batches], object]:
    """Batches that end the process half-way through the `epoch`-th epoch (from 0) that is begun."""
    begun = -1
    shuffled = Batches.shuffled

    def fatal(batches: Batches) -> object:
        nonlocal begun
        begun += 1
        for number, batch in enumerate(shuffled(batches)):
            if begun == epoch and number == 1:
                raise Killed
            yield batch

    return fatal


def _kill_training_in(monkeypatch: pytest.MonkeyPatch, epoch: int, report: Report = silent) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Batches, "shuffled", _killed_in(epoch))
        with pytest.raises(Killed):
            api.train_bundle("agilenn", "toy", progress=report)


def _trained(cache: Path) -> Bundle:
    return bundle.load(api.cached_bundle_path("agilenn", "toy"))


def _same(one: Bundle, other: Bundle) -> bool:
    return one.manifest == other.manifest and all(
        np.array_equal(one.tensors[name], other.tensors[name]) for name in one.tensors
    )


def _checkpoints(cache: Path) -> list[Path]:
    return list((cache / "checkpoints").iterdir())


@pytest.mark.parametrize("epoch", range(EPOCHS))
def test_a_training_killed_in_any_epoch_ends_in_the_same_bundle(
    cache: Path, whole: Bundle, monkeypatch: pytest.MonkeyPatch, epoch: int
) -> None:
    _kill_training_in(monkeypatch, epoch)
    begun: list[int] = []
    shuffled = Batches.shuffled
    monkeypatch.setattr(Batches, "shuffled", lambda batches: begun.append(1) or shuffled(batches))
    api.train_bundle("agilenn", "toy")
    assert _same(_trained(cache), whole)
    assert len(begun) == EPOCHS - epoch
    assert not _checkpoints(cache)


def test_a_training_may_be_killed_again_and_again(
    cache: Path, whole: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    luck, left = random.Random(0), EPOCHS
    while left > 1:
        survived = luck.randrange(min(3, left))
        _kill_training_in(monkeypatch, survived)
        left -= survived
    api.train_bundle("agilenn", "toy")
    assert _same(_trained(cache), whole)
    assert len(metrics.read(metrics.path_beside(api.cached_bundle_path("agilenn", "toy")))) == EPOCHS


def test_a_kill_after_the_last_epoch_costs_only_the_evaluation(
    cache: Path, whole: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(progress: Progress) -> None:
        if progress.phase == "evaluate":
            raise Killed

    with pytest.raises(Killed):
        api.train_bundle("agilenn", "toy", progress=kill)
    monkeypatch.setattr(Batches, "shuffled", lambda batches: pytest.fail("trained again"))
    api.train_bundle("agilenn", "toy")
    assert _same(_trained(cache), whole)


def test_an_implicit_training_goes_on_as_well(
    cache: Path, whole: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kill_training_in(monkeypatch, 5)
    seen: list[Progress] = []
    api.ensure_bundle("agilenn", "toy", progress=seen.append)
    assert [step.phase for step in seen if step.text == "from the checkpoint"] == [
        "reference", "warm-up", "train",
    ]  # fmt: skip
    assert _same(_trained(cache), whole)


OPTIONS = {"codec": "range", "rate_weight": 0.1, "progressive": True, "local_distillation": 0.5}


def test_nested_dropout_and_the_rest_go_on_with_the_luck_they_had(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = replace(RECIPE, **OPTIONS)
    monkeypatch.setattr(AgileNN, "recipe", lambda self, dataset: chosen)
    _kill_training_in(monkeypatch, EPOCHS - 1)
    api.train_bundle("agilenn", "toy")
    killed = _trained(cache)
    api.train_bundle("agilenn", "toy", fresh=True)
    assert _same(_trained(cache), killed)
    assert "codec.frequencies" in killed.tensors


def test_a_fresh_training_looks_at_no_checkpoint(
    cache: Path, whole: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kill_training_in(monkeypatch, 5)
    seen: list[Progress] = []
    api.train_bundle("agilenn", "toy", progress=seen.append, fresh=True)
    assert not any(step.text == "from the checkpoint" for step in seen)
    assert _same(_trained(cache), whole)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 4
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _of_another_library(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(torch.__version__.encode(), b"0" * len(torch.__version__)))


@pytest.mark.parametrize("spoil", [_flip, _cut, _empty, _of_another_library])
def test_a_spoilt_checkpoint_is_ignored_with_a_warning(
    cache: Path, whole: Bundle, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    _kill_training_in(monkeypatch, 4)
    (left,) = _checkpoints(cache)
    spoil(left)
    seen: list[Progress] = []
    api.train_bundle("agilenn", "toy", progress=seen.append)
    (warning,) = [step.warning for step in seen if step.warning]
    assert left.name in warning
    assert "ignored" in warning
    assert _same(_trained(cache), whole)


@pytest.mark.parametrize("change", [{"epochs": 4}, {"rho": 0.7}])
def test_another_recipe_has_a_checkpoint_of_its_own(cache: Path, change: dict[str, float]) -> None:
    other = AgileRecipe(**{**RECIPE.__dict__, **change})
    assert api.checkpoint_path("agilenn", "toy", 0, RECIPE) != api.checkpoint_path("agilenn", "toy", 0, other)


def _checkpoint() -> Checkpoint:
    return Checkpoint("train", 2, {"a/b": torch.arange(6.0).view(2, 3)}, {"c": 1.5}, ({"epoch": 1},))


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    made, path = _checkpoint(), tmp_path / "new" / "c.safetensors"
    checkpoint.save(made, path, {"seed": 3})
    found = checkpoint.load(path, {"seed": 3})
    assert found is not None
    assert (found.phase, found.done, found.scalars, found.history) == ("train", 2, {"c": 1.5}, made.history)
    assert torch.equal(found.tensors["a/b"], made.tensors["a/b"])
    assert list(path.parent.iterdir()) == [path]


def test_maps_keep_their_layout(tmp_path: Path) -> None:
    convolution = torch.nn.Conv2d(3, 5, 3)
    convert_conv2d_weight_memory_format(convolution, torch.channels_last)
    weight = convolution.weight.detach()
    path = tmp_path / "c.safetensors"
    checkpoint.save(Checkpoint("train", 1, {"w": weight}), path, {})
    found = checkpoint.load(path, {})
    assert found is not None
    assert found.tensors["w"].stride() == weight.stride()
    assert torch.equal(found.tensors["w"], weight)


def test_where_there_is_no_file_there_is_no_checkpoint(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path / "none.safetensors", {}) is None


def test_another_trainings_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    checkpoint.save(_checkpoint(), path, {"seed": 3})
    with pytest.raises(UnusableCheckpoint, match="another training's"):
        checkpoint.load(path, {"seed": 4})


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_an_optimiser_and_its_luck_go_on_from_where_they_were(kind: str) -> None:
    def made() -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
        layer = torch.nn.Linear(3, 2)
        parameters = layer.parameters()
        return layer, (
            torch.optim.Adam(parameters, lr=0.1)
            if kind == "adam"
            else torch.optim.SGD(parameters, lr=0.1, momentum=0.9)
        )

    def step(layer: torch.nn.Linear, optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        torch.autograd.backward(layer(torch.rand(4, 3)).square().sum())
        optimiser.step()

    torch.manual_seed(0)
    layer, optimiser = made()
    step(layer, optimiser)
    tensors, scalars = state.collect({"layer": layer, "optimiser": optimiser})
    step(layer, optimiser)
    other, follower = made()
    state.restore({"layer": other, "optimiser": follower}, tensors, scalars)
    step(other, follower)
    assert torch.equal(other.weight, layer.weight)
