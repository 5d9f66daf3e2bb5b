"""Emulated devices ask as they are told to, and count every request once."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hil.bench.serving.load import Driven, Load, drive
from hil.errors import ServerError
from hil.server.limits import Limits
from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.unit.server.fake_remote import HASH, FakeRemote, running

PAYLOADS = (b"x", b"\x07four", b"\x09longer")


def driven(port: int, load: Load) -> Driven:
    return asyncio.run(drive("127.0.0.1", port, HASH, PAYLOADS, load))


def test_each_device_asks_again_as_soon_as_it_is_answered():
    remote = FakeRemote(seconds=0.02)
    with running(remote) as port:
        found = driven(port, Load(devices=3, seconds=0.5, warm_s=0.1))
    assert set(found.statuses) == {"OK"}
    assert max(remote.batches) <= 3
    assert found.throughput_per_s <= 3 / 0.02
    assert found.asked == found.latency_ms.size == found.server_ms.size <= found.handled
    assert found.latency_ms.min() >= 20
    assert found.latency(50) <= found.latency(99)


def test_requests_come_at_the_rate_offered_whether_or_not_they_are_answered():
    with running(FakeRemote(seconds=0.05), Limits(queue_max=4, batch_max=1)) as port:
        found = driven(port, Load(devices=10, seconds=0.6, rate_per_s=200, warm_s=0.1))
    assert 0.6 * 200 / 2 < found.asked < 0.6 * 200 * 2
    assert found.share("BUSY") > 0.5
    assert found.share("BUSY") + found.share("OK") == pytest.approx(1)


def test_what_is_never_answered_is_lost(monkeypatch):
    monkeypatch.setattr("hil.bench.serving.load._LAST_S", 0.1)
    hold = threading.Event()
    with running(FakeRemote(hold=hold), Limits(drain_s=0.1)) as port:
        found = driven(port, Load(devices=2, seconds=0.2, rate_per_s=50, warm_s=0))
        hold.set()
    assert found.share("LOST") == 1
    assert found.latency(50) is None


def test_the_same_seed_offers_the_same(monkeypatch):
    monkeypatch.setattr("hil.bench.serving.load._LAST_S", 1.0)
    with running(FakeRemote()) as port:
        counts = [driven(port, Load(2, 0.2, rate_per_s=100, warm_s=0, seed=5)).asked for _ in range(2)]
    assert counts[0] == counts[1] > 0


def test_a_device_that_is_not_let_in_is_an_error():
    with (
        running(FakeRemote(), Limits(connections_max=2)) as port,
        pytest.raises(ServerError, match="not let in"),
    ):
        driven(port, Load(devices=3, seconds=0.1))


def test_a_server_that_leaves_is_an_error():
    found: list[ServerError] = []

    def ask(port: int) -> None:
        try:
            driven(port, Load(devices=2, seconds=PATIENCE_S, warm_s=0))
        except ServerError as error:
            found.append(error)

    remote = FakeRemote()
    with running(remote) as port:
        thread = threading.Thread(target=ask, args=(port,))
        thread.start()
        eventually(lambda: remote.asked)
    thread.join()
    assert "the server is shutting down" in found[0].message
