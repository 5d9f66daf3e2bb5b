"""The frozen reference as a judge of importance, and the remapping that starts from its judgement."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hil.explain import integrated_gradients, saliency
from hil.training.agilenn import device_half
from hil.training.attribution import Attributor
from hil.training.reference import Judge, Reference
from hil.training.remap import descending_tail, permute, ranking
from hil_tests.unit.training.toy import RECIPE, recipe

SHAPE = torch.Size((12, 6, 6))


def _reference() -> Reference:
    """With norms that have seen data."""
    torch.manual_seed(0)
    reference = Reference(3, 12, RECIPE.reference_stages, RECIPE.reference_head, 3)
    for _ in range(3):
        reference(torch.randn(8, 3, 6, 6))
    return reference.eval()


def _judge() -> Judge:
    return Judge(_reference(), 12, 12).requires_grad_(False)


def test_folding_the_norms_does_not_change_what_the_reference_says() -> None:
    reference = _reference()
    images = torch.randn(4, 3, 6, 6)
    expected = copy.deepcopy(reference)(images)
    judge = Judge(reference, 12, 12)
    assert torch.allclose(judge.body(reference.stem(images)), expected, atol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in judge.body.modules())


def test_every_samples_loss_is_its_own() -> None:
    judge, features, labels = _judge(), torch.rand(4, *SHAPE), torch.tensor([0, 1, 2, 0])
    alone = torch.cat([judge.loss(features[i : i + 1], labels[i : i + 1]) for i in range(4)])
    assert torch.allclose(judge.loss(features, labels), alone, atol=1e-5)


def test_slopes_remembered_per_class_give_the_plain_attribution() -> None:
    judge, features, labels = _judge(), torch.rand(5, *SHAPE), torch.tensor([2, 1, 2, 0, 1])
    found = Attributor(judge, RECIPE, SHAPE, 3).importance(features, labels)
    plain = integrated_gradients.importance(features, lambda f: judge.loss(f, labels))
    assert torch.allclose(found, plain, atol=1e-6)


def test_a_recipe_may_ask_for_saliency() -> None:
    judge, features, labels = _judge(), torch.rand(2, *SHAPE), torch.tensor([2, 1])
    found = Attributor(judge, recipe(attribution="saliency"), SHAPE, 3).importance(features, labels)
    assert torch.equal(found, saliency.importance(features, lambda f: judge.loss(f, labels)))


def test_following_improves_the_judges_reading_and_leaves_the_features_alone() -> None:
    judge = _judge()
    attributor = Attributor(judge, recipe(follow_rate=0.05), SHAPE, 3)
    features = torch.rand(6, *SHAPE, requires_grad=True)
    labels = torch.arange(6) % 3
    before = judge.loss(features, labels).mean().item()
    for _ in range(20):
        attributor.follow(features, labels, 1.0)
    assert judge.loss(features, labels).mean().item() < before
    assert features.grad is None
    assert not any(parameter.requires_grad for parameter in judge.parameters())


def test_without_a_follow_rate_the_mapping_layer_stays_as_it_is() -> None:
    judge = _judge()
    before = judge.mapping.weight.clone()
    Attributor(judge, recipe(follow_rate=0.0), SHAPE, 3).follow(
        torch.rand(2, *SHAPE), torch.tensor([0, 1]), 1.0
    )
    assert torch.equal(judge.mapping.weight, before)


def test_ranking_by_share_weighs_every_sample_alike() -> None:
    # The second sample's loss is steep; it must not outvote the other two.
    importance = torch.tensor([[0.6, 0.4, 0.0], [0.0, 100.0, 900.0], [0.7, 0.3, 0.0]])
    assert ranking(importance, "global_importance", 1).tolist() == [0, 2, 1]


def test_ranking_by_appearance_counts_who_is_on_top() -> None:
    importance = torch.tensor([[5.0, 4.0, 0.0], [0.0, 4.0, 3.9], [0.0, 4.0, 3.9]])
    assert ranking(importance, "topk_appearance", 2).tolist() == [1, 2, 0]


def test_ranking_can_be_left_out_and_ties_keep_their_order() -> None:
    assert ranking(torch.rand(3, 6), "none", 2).tolist() == list(range(6))
    assert ranking(torch.ones(3, 6), "global_importance", 2).tolist() == list(range(6))


@given(st.permutations(range(12)))
@settings(max_examples=10)
def test_a_permutation_moves_channels_and_keeps_the_judges_opinion(order: list[int]) -> None:
    torch.manual_seed(0)
    device = device_half(RECIPE, 3, 3)
    device(torch.randn(4, 3, 18, 18))
    device.eval()
    judge, images = _judge(), torch.randn(2, 3, 18, 18)
    features = device.extract(images)
    opinion = judge(features)
    permute(device, judge, torch.tensor(order))
    assert torch.allclose(device.extract(images), features[:, order], atol=1e-6)
    assert torch.allclose(judge(device.extract(images)), opinion, atol=1e-4)


@pytest.mark.parametrize("kind", ["fused", "mbconv"])
@pytest.mark.parametrize("expansion", [1, 4])
@pytest.mark.parametrize("stride", [1, 2])
def test_every_kind_of_block_can_be_differentiated_twice(kind: str, expansion: int, stride: int) -> None:
    reference = Reference(3, 8, ((kind, expansion, 8, 2, stride),), 8, 3).eval()
    judge = Judge(reference, 12, 8).requires_grad_(False)
    features = torch.rand(2, *SHAPE, requires_grad=True)
    attributor = Attributor(judge, RECIPE, SHAPE, 3)
    importance = attributor.importance(features, torch.tensor([0, 1]), differentiable=True)
    torch.autograd.backward(importance.sum())
    assert features.grad is not None
    assert features.grad.abs().sum() > 0


@given(st.integers(2, 8), st.data())
def test_the_rest_is_sent_in_order_of_importance_whoever_stays(channels: int, data: st.DataObject) -> None:
    local = data.draw(st.integers(1, channels - 1))
    order = torch.tensor(data.draw(st.permutations(range(channels))))
    importance = torch.rand(6, channels)
    found = descending_tail(order, importance, local)
    assert found[:local].tolist() == order[:local].tolist()
    assert sorted(found.tolist()) == list(range(channels))
    shares = (importance / importance.sum(1, keepdim=True)).mean(0)[found[local:]]
    assert torch.all(shares.diff() <= 1e-6)
    everything = ranking(importance, "global_importance", local)
    assert torch.equal(descending_tail(everything, importance, local), everything)
