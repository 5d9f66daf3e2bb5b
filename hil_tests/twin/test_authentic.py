"""A firmware with a key takes the server's own replies and nothing else, and says what that cost."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from hashlib import blake2s
from pathlib import Path

import pytest

from hil.deploy.key import write_key
from hil.deploy.seal import read_seal
from hil.twin.image import Image
from hil.twin.peripherals.rng import Rng
from hil.twin.twin import Twin
from hil.wire import authentic
from hil.wire.body import Message
from hil.wire.protocol import (
    BOOT_BAUD,
    NONCE_BYTES,
    PROTOCOL_VERSION,
    FallbackReason,
    Integrity,
    NonceSource,
    Outcome,
    ReplyStatus,
)
from hil.wire.to_device import Configure, Hello, Input, Reply, Run
from hil.wire.to_host import Capability, Payload, Result
from hil.wire.transport import Transport
from hil_tests.twin import firmware_image as fake
from hil_tests.twin.firmware_image import Wire

pytestmark = pytest.mark.twin

KEY = bytes(range(200, 232))
SERVER_NONCE = bytes(range(NONCE_BYTES))
LOGITS = tuple(range(100, 1100, 100))
DEADLINE_US = 20_000


class Host:
    """An honest relay, and a server half that holds the key."""

    def __init__(self, twin: Twin) -> None:
        self.wire = Wire(twin)
        self.transport = Transport(self.wire)
        self.key = b""
        self.payload = b""

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.transport.send(message)

    def receive(self) -> Message:
        received = self.transport.receive(self.wire.now_s() + 0.1)
        assert received is not None, "the device said nothing"
        return received.message

    def greet(self, server_nonce: bytes = SERVER_NONCE) -> Capability:
        self.send(Hello(PROTOCOL_VERSION))
        capability = self.receive()
        assert isinstance(capability, Capability)
        self.send(Configure(DEADLINE_US, BOOT_BAUD, 0, server_nonce))
        self.key = authentic.session_key(KEY, capability.nonce, server_nonce)
        return capability

    def exchange(self, sample: int = 1) -> int:
        """Begins one and returns its number."""
        data = fake.sample(1).tobytes()
        self.send(*(Input(sample, len(data), at, piece) for at, piece in fake.chunks_of(data)))
        self.send(Run(sample))
        self.payload = b""
        while True:
            chunk = self.receive()
            assert isinstance(chunk, Payload)
            self.payload += chunk.data
            if chunk.offset + len(chunk.data) == chunk.total:
                return chunk.counter

    def reply(
        self,
        counter: int,
        sample: int = 1,
        logits: tuple[int, ...] = LOGITS,
        status: ReplyStatus = ReplyStatus.OK,
        part_bytes: int | None = None,
    ) -> Reply:
        tag = authentic.reply_tag(self.key, counter, sample, self.payload[:part_bytes], status, logits)
        return Reply(sample, status, logits, tag, part_bytes)

    def result(self) -> Result:
        result = self.receive()
        assert isinstance(result, Result), result
        return result


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("keyed") / "hil.elf"
    write_key(fake.shared(), KEY, target)
    return target


@pytest.fixture
def host(keyed: Path) -> Iterator[Host]:
    twin = Twin(Image.load(keyed), timing="cycles")
    yield Host(twin)
    assert not twin.warnings
    twin.close()


def test_the_key_lies_behind_the_seal_and_in_the_copy_alone(keyed: Path, host: Host) -> None:
    assert KEY not in fake.shared().read_bytes()
    assert os.stat(keyed).st_mode & 0o077 == 0
    assert read_seal(keyed) == read_seal(fake.shared())
    capability = host.greet()
    assert capability.check.integrity is Integrity.SOUND
    assert capability.nonce_source is NonceSource.RNG
    assert capability.nonce != bytes(NONCE_BYTES)


def test_the_vector_of_the_rfc_on_the_core(host: Host) -> None:
    twin, message, state, digest = host.wire.twin, 0x2002_0000, 0x2003_0000, 0x2003_1000
    for text, key in ((b"abc", b""), (bytes(200), KEY)):
        twin.write(message, text.ljust(256, b"\0") + key)
        twin.call("hil_blake2s_begin", state, 32, message + 256, len(key))
        twin.call("hil_blake2s_put", state, message, len(text))
        twin.call("hil_blake2s_end", state, digest)
        assert twin.read(digest, 32) == blake2s(text, key=key).digest()


def test_the_servers_reply_is_taken_and_its_check_is_timed(host: Host) -> None:
    host.greet()
    host.send(host.reply(host.exchange()))
    result = host.result()
    assert (result.outcome, result.reason) == (Outcome.ANSWERED, FallbackReason.NONE)
    assert result.unauthentic == 0
    assert result.cycles.verify > 0


def test_the_servers_reply_to_the_first_bytes_is_taken(host: Host) -> None:
    host.greet()
    counter = host.exchange()
    host.send(host.reply(counter, part_bytes=len(host.payload) // 2))
    result = host.result()
    assert (result.outcome, result.unauthentic) == (Outcome.ANSWERED, 0)


def test_what_is_asked_is_hashed_while_the_device_waits(host: Host) -> None:
    host.greet()
    at_reply = []
    for part_bytes in (None, -1):
        counter = host.exchange()
        whole = len(host.payload)
        assert whole > 200, "some blocks of 64 bytes"
        host.send(host.reply(counter, part_bytes=part_bytes and whole + part_bytes))
        result = host.result()
        assert result.outcome is Outcome.ANSWERED
        at_reply.append(result.cycles.fuse)
    assert at_reply[0] < at_reply[1] / 2, "a part is hashed once its length is known"


def test_a_refusal_of_the_server_itself_ends_the_wait(host: Host) -> None:
    host.greet()
    host.send(host.reply(host.exchange(), logits=(), status=ReplyStatus.UNAVAILABLE))
    result = host.result()
    assert result.reason is FallbackReason.SERVER_UNAVAILABLE
    assert result.cycles.wait < DEADLINE_US * 216 * 0.9


Forge = Callable[[Host, int], Reply]


def altered(host: Host, counter: int) -> Reply:
    return dataclasses.replace(host.reply(counter), logits=LOGITS[::-1])


def without_tag(host: Host, counter: int) -> Reply:
    return Reply(1, ReplyStatus.OK, LOGITS)


def of_the_exchange_before(host: Host, counter: int) -> Reply:
    return host.reply(counter - 1)


def of_another_sample(host: Host, counter: int) -> Reply:
    return dataclasses.replace(host.reply(counter, sample=2), sample=1)


def of_another_session(host: Host, counter: int) -> Reply:
    host.key = authentic.session_key(KEY, bytes(NONCE_BYTES), SERVER_NONCE)
    return host.reply(counter)


def to_an_altered_payload(host: Host, counter: int) -> Reply:
    host.payload = host.payload[:-1] + bytes([host.payload[-1] ^ 1])
    return host.reply(counter)


def to_less_than_it_claims(host: Host, counter: int) -> Reply:
    return dataclasses.replace(host.reply(counter, part_bytes=1), part_bytes=None)


def to_more_than_was_sent(host: Host, counter: int) -> Reply:
    host.payload += bytes(1)
    return host.reply(counter, part_bytes=len(host.payload))


def unavailable_by_a_stranger(host: Host, counter: int) -> Reply:
    return Reply(1, ReplyStatus.UNAVAILABLE, ())


FORGERIES = [
    altered, without_tag, of_the_exchange_before, of_another_sample, of_another_session,
    to_an_altered_payload, to_less_than_it_claims, to_more_than_was_sent, unavailable_by_a_stranger,
]  # fmt: skip


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_or_replayed_reply_becomes_a_fallback_at_the_deadline(host: Host, forge: Forge) -> None:
    host.greet()
    forged = forge(host, host.exchange())
    host.send(forged, forged)
    result = host.result()
    assert (result.outcome, result.reason) == (Outcome.FALLBACK, FallbackReason.UNAUTHENTIC)
    assert result.unauthentic == 2
    assert result.cycles.wait == pytest.approx(DEADLINE_US * 216, rel=0.01), "it forces no early fallback"


def test_a_forged_reply_does_not_keep_the_servers_own_from_being_taken(host: Host) -> None:
    host.greet()
    counter = host.exchange()
    host.send(altered(host, counter), host.reply(counter))
    result = host.result()
    assert result.outcome is Outcome.ANSWERED
    assert result.unauthentic == 1


def test_what_answered_once_answers_no_other_exchange(host: Host) -> None:
    host.greet()
    first = host.reply(host.exchange())
    host.send(first)
    assert host.result().outcome is Outcome.ANSWERED
    host.exchange()
    host.send(first)
    assert host.result().reason is FallbackReason.UNAUTHENTIC
    earlier = host.greet().nonce
    assert host.greet().nonce != earlier
    host.exchange()
    host.send(first)
    assert host.result().reason is FallbackReason.UNAUTHENTIC


def test_a_hello_repeated_before_a_session_has_begun_is_answered_alike(host: Host) -> None:
    nonces = []
    for _ in range(2):
        host.send(Hello(PROTOCOL_VERSION))
        capability = host.receive()
        assert isinstance(capability, Capability)
        nonces.append(capability.nonce)
    assert nonces[0] == nonces[1]


def test_without_a_generator_the_nonce_is_weaker_and_says_so(
    keyed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rng, "_clock_error", True)
    twin = Twin(Image.load(keyed), timing="cycles")
    host = Host(twin)
    first = host.greet()
    assert first.nonce_source is NonceSource.COUNTER
    assert host.greet().nonce not in (first.nonce, bytes(NONCE_BYTES))
    host.send(host.reply(host.exchange()))
    assert host.result().outcome is Outcome.ANSWERED
    twin.close()


def test_whoever_configures_before_any_hello_answers_nothing_either(host: Host) -> None:
    """Found by fuzzing: a key counted only once the device had been greeted."""
    host.send(Configure(DEADLINE_US, BOOT_BAUD))
    host.exchange()
    host.send(Reply(1, ReplyStatus.OK, LOGITS))
    result = host.result()
    assert (result.outcome, result.reason) == (Outcome.FALLBACK, FallbackReason.UNAUTHENTIC)
    assert result.unauthentic == 1
