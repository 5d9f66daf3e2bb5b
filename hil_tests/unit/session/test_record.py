"""What counts as agreement with the reference."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hil.deploy.deployment import Fusion, Reference
from hil.deploy.fuse import fuse
from hil.session.exchange import Exchange
from hil.session.record import agrees, follows
from hil.wire.protocol import FallbackReason, Outcome, ReplyStatus
from hil.wire.to_device import Reply
from hil.wire.to_host import Result, StageCycles

FUSION = Fusion(local_multiplier=7, local_zero_point=-3, remote_multiplier=2)
LOCAL, REMOTE = (5, -8, 0), (10, 90, -4)
RESULT = Result(
    0, Outcome.ANSWERED, FallbackReason.NONE, 1, 3, StageCycles(1, 1, 1, 1, 1, 1, 6), 0, 0, 0,
    LOCAL, fuse(FUSION, LOCAL, REMOTE),
)  # fmt: skip
EXCHANGE = Exchange(0, RESULT, payload=b"abc", reply=Reply(0, ReplyStatus.OK, REMOTE))
REFERENCE = Reference(np.array(LOCAL, np.int8), None, b"abc")


def changed(**fields) -> Exchange:
    return dataclasses.replace(EXCHANGE, result=dataclasses.replace(RESULT, **fields))


def test_fusion_weighs_both_halves_in_integers():
    assert fuse(FUSION, LOCAL, REMOTE) == (7 * 8 + 20, 7 * -5 + 180, 7 * 3 - 8)
    assert fuse(FUSION, (), REMOTE) == (20, 180, -8)


def test_an_answer_equal_in_every_bit_agrees():
    assert agrees(EXCHANGE, REFERENCE, FUSION)


@pytest.mark.parametrize(
    "exchange",
    [
        changed(local=(5, -8, 1)),
        changed(fused=(0, 1, 0)),
        changed(prediction=0),
        dataclasses.replace(EXCHANGE, payload=b"abd"),
    ],
)
def test_one_difference_is_enough_to_disagree(exchange):
    assert not agrees(exchange, REFERENCE, FUSION)


@pytest.mark.parametrize(
    "exchange",
    [
        changed(fused=(0, 1, 0)),
        changed(prediction=0),
        dataclasses.replace(EXCHANGE, reply=Reply(0, ReplyStatus.OK, (10, 91, -4))),
        dataclasses.replace(EXCHANGE, reply=None),
        changed(outcome=Outcome.FALLBACK, prediction=1),
    ],
)
def test_an_answer_that_does_not_follow_from_what_was_sent_is_seen_without_a_reference(exchange):
    assert follows(EXCHANGE, FUSION)
    assert not follows(exchange, FUSION)


def test_a_fallback_answers_with_the_best_local_logit():
    fields = {"outcome": Outcome.FALLBACK, "reason": FallbackReason.DEADLINE, "fused": ()}
    assert agrees(changed(**fields, prediction=0), REFERENCE, FUSION)
    assert not agrees(changed(**fields, prediction=1), REFERENCE, FUSION)


def test_a_device_that_exits_agrees_where_the_reference_exits_too():
    stays = dataclasses.replace(REFERENCE, stays=True)
    alone = dataclasses.replace(
        changed(outcome=Outcome.LOCAL, prediction=0, payload_bytes=0, fused=()), payload=None, reply=None
    )
    assert agrees(alone, stays, FUSION)
    assert not agrees(alone, REFERENCE, FUSION), "it should have sent"
    assert not agrees(EXCHANGE, stays, FUSION), "it should have stayed silent"


def test_a_device_without_a_local_half_agrees_by_the_servers_answer():
    exchange = changed(local=(), fused=(20, 180, -8))
    assert agrees(exchange, Reference(None, None, b"abc"), FUSION)
    assert agrees(exchange, Reference(None, None, b"abc"), None)
