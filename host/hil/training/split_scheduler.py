"""SPINN's scheduler: where to cut, and from which confidence on the local answer stands.

After Laskaridis et al. (MobiCom 2020): of all pairs of split and threshold that keep the accuracy, the one
with the least expected latency on the given link. The paper's scheduler looks again whenever conditions
change; firmware has one split in it, so that here one choice is made for one set of conditions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.link.radio import Radio

THRESHOLDS = tuple(percent / 100 for percent in range(10, 101))


@dataclass(frozen=True)
class SplitProfile:
    """What the network does on validation samples when it is cut behind one of its stages."""

    split: int
    device_macs: int
    payload_bytes: float
    """Mean size of what is sent of a sample."""
    confidence: NDArray[np.float32]
    """(exits, samples) top-1 softmax, the device's exit first, the network's own end last."""
    right: NDArray[np.bool_]
    """(exits, samples) whether its answer would be right."""


@dataclass(frozen=True)
class Conditions:
    """What the choice is made for."""

    radio: Radio
    device_macs_per_s: float
    server_s: float
    """From a payload's arrival to the reply."""
    reply_bytes: int


@dataclass(frozen=True)
class Choice:
    """A split and a threshold, and what they are expected to come to."""

    split: int
    confidence: float
    latency_ms: float
    accuracy: float
    exit_share: float
    """Of the samples, those that the device answers alone."""


def first_sure(confidence: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    """(samples,) the exit that answers: the first in (exits, samples) that is sure, or the last."""
    sure = confidence >= threshold
    sure[-1] = True
    index: NDArray[np.int64] = sure.argmax(axis=0)
    return index


def expect(profile: SplitProfile, threshold: float, conditions: Conditions) -> Choice:
    """What `profile`'s split with `threshold` comes to."""
    answers = first_sure(profile.confidence, threshold)
    share = float(np.mean(answers == 0))
    offload_s = (
        _transfer_s(conditions.radio, round(profile.payload_bytes))
        + conditions.server_s
        + _transfer_s(conditions.radio, conditions.reply_bytes)
    )
    latency_s = profile.device_macs / conditions.device_macs_per_s + (1 - share) * offload_s
    accuracy = float(np.mean(profile.right[answers, np.arange(len(answers))]))
    return Choice(profile.split, threshold, 1000 * latency_s, accuracy, share)


def choose(profiles: Sequence[SplitProfile], conditions: Conditions, accuracy_loss: float) -> Choice:
    """The least latency at no more than `accuracy_loss` (a share) below the network's own end.

    Where nothing keeps that, the best accuracy. Of equals, the higher accuracy, then the higher threshold.
    """
    least = max(float(np.mean(profile.right[-1])) for profile in profiles) - accuracy_loss
    choices = [expect(profile, threshold, conditions) for profile in profiles for threshold in THRESHOLDS]
    good = [choice for choice in choices if choice.accuracy >= least]
    if not good:
        return max(choices, key=lambda choice: (choice.accuracy, -choice.latency_ms))
    return min(good, key=lambda choice: (choice.latency_ms, -choice.accuracy, -choice.confidence))


def _transfer_s(radio: Radio, message_bytes: int) -> float:
    """A message's way over `radio` when nothing is lost and the latency is the usual one."""
    if radio.instant:
        return 0.0
    return radio.latency_s + 8 * sum(radio.packet_sizes(message_bytes)) / radio.bandwidth_bps
