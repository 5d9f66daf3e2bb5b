"""Channel remapping: the channels that matter most anyway become the local ones before training."""

from __future__ import annotations

import torch
from torch import Tensor

from hil.schemes.agilenn_device import DeviceHalf
from hil.training.recipe import Remapping
from hil.training.reference import Judge


def ranking(importance: Tensor, criterion: Remapping, local: int) -> Tensor:
    """Channels (C,), the most important first, from the `importance` (N, C) of many samples.

    By mean share of importance, or by how often a channel is among a sample's first `local`.
    Channels that tie keep their order.
    """
    if criterion == "none":
        return torch.arange(importance.shape[1])
    if criterion == "topk_appearance":
        top = importance.topk(local, dim=1).indices
        score = torch.bincount(top.flatten(), minlength=importance.shape[1]).double()
    else:
        score = _mean_share(importance)
    return torch.argsort(score, descending=True, stable=True)


def descending_tail(order: Tensor, importance: Tensor, local: int) -> Tensor:
    """`order` (C,), the channels from place `local` on sorted by mean share of `importance` (N, C).

    That is the order in which a progressive payload sends them, whatever chose the local ones.
    """
    tail = order[local:]
    by_share = torch.argsort(_mean_share(importance)[tail], descending=True, stable=True)
    return torch.cat([order[:local], tail[by_share]])


def _mean_share(importance: Tensor) -> Tensor:
    """Each channel's mean share (C,) of the samples' `importance` (N, C)."""
    share = importance.double() / (importance.double().sum(dim=1, keepdim=True) + 1e-12)
    return share.mean(dim=0)


@torch.no_grad()
def permute(device: DeviceHalf, judge: Judge, order: Tensor) -> None:
    """Puts channel order[i] of the feature map at i; what the judge says stays the same.

    The local predictor is not permuted: it is trained after this.
    """
    pointwise, norm = device.features.pointwise, device.features.norm
    assert isinstance(pointwise, torch.nn.Conv2d)
    assert isinstance(norm, torch.nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    for tensor in (pointwise.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var):
        tensor.copy_(tensor[order].clone())
    judge.mapping.weight.copy_(judge.mapping.weight[:, order].clone())
