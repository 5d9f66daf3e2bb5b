"""A flipped bit in the firmware is found: before it starts, and in mid-run."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hil.deploy.seal import Seal, covered_bytes, read_seal, write_seal
from hil.errors import HilError
from hil.twin.image import Image, Segment
from hil.twin.twin import Twin
from hil.wire.body import Message
from hil.wire.protocol import BOOT_BAUD, KEY_BYTES, PROTOCOL_VERSION, FrameType, Integrity, RejectReason
from hil.wire.to_device import Check, Configure, Hello, Input, Run
from hil.wire.to_host import Capability, Checked, Payload, Reject
from hil.wire.transport import Transport
from hil_tests.twin import firmware_image as fake
from hil_tests.twin.firmware_image import Wire

pytestmark = pytest.mark.twin

BOOT_S = 0.05
"""The firmware has answered HELLO long before."""


@pytest.fixture(scope="module")
def seal() -> Seal:
    return read_seal(fake.shared())


def ask(wire: Wire, message: Message, within_s: float = BOOT_S) -> Message | None:
    host = Transport(wire)
    host.send(Hello(PROTOCOL_VERSION))
    answer = host.receive(wire.now_s() + within_s)
    if answer is None or isinstance(message, Hello):
        return answer and answer.message
    host.send(message)
    answer = host.receive(wire.now_s() + within_s)
    return answer and answer.message


def flipped(image: Image, address: int, bit: int) -> Image:
    """`image` with one bit of its flash turned."""

    def turn(segment: Segment) -> Segment:
        at = address - segment.load_address
        if not 0 <= at < len(segment.data):
            return segment
        data = bytearray(segment.data)
        data[at] ^= 1 << bit
        return dataclasses.replace(segment, data=bytes(data))

    return dataclasses.replace(image, segments=tuple(turn(segment) for segment in image.segments))


def started(image: Image) -> Message | None:
    """What a twin says to HELLO; None when it says nothing, or crashes."""
    twin = Twin(image, timing="instructions")
    try:
        return ask(Wire(twin), Hello(PROTOCOL_VERSION))
    except HilError:
        return None
    finally:
        twin.close()


def is_sound(answer: Message | None, seal: Seal) -> bool:
    """As `hil.session.integrity.judge_start` has it."""
    return (
        isinstance(answer, Capability)
        and answer.check.integrity is Integrity.SOUND
        and (answer.check.crc, answer.check.covered_bytes) == (seal.crc, seal.covered_bytes)
    )


def test_the_seal_is_a_crc_of_all_that_lies_before_it(seal: Seal) -> None:
    image = Image.load(fake.shared())
    stored = sorted((s for s in image.segments if s.data), key=lambda segment: segment.load_address)
    assert seal.begin == 0x0800_0000 == stored[0].load_address
    everything = b"".join(segment.data for segment in stored)
    assert everything[: seal.covered_bytes] == covered_bytes(fake.shared())
    assert len(everything) == seal.covered_bytes + 12 + KEY_BYTES, "behind it only the seal, and a key"
    assert everything[-KEY_BYTES:] == b"\xff" * KEY_BYTES, "which a build does not have"
    assert seal.crc == zlib.crc32(covered_bytes(fake.shared()))


def test_elf_and_bin_hold_the_same_image_and_sealing_again_changes_nothing(seal: Seal) -> None:
    elf = fake.shared()
    before = elf.read_bytes()
    assert write_seal(elf) == seal
    assert elf.read_bytes() == before
    binary = elf.with_suffix(".bin").read_bytes()
    assert binary[: seal.covered_bytes] == covered_bytes(elf)
    assert zlib.crc32(binary[: seal.covered_bytes]) == int.from_bytes(
        binary[seal.covered_bytes + 8 :][:4], "little"
    )


def test_an_untouched_firmware_finds_itself_sound(seal: Seal) -> None:
    assert is_sound(started(Image.load(fake.shared())), seal)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_bit_flipped_in_flash_is_found_before_the_first_sample(seal: Seal, share: float, bit: int) -> None:
    """Anywhere in what is covered, and in the seal itself. A firmware too damaged to start says nothing."""
    address = seal.begin + int(share * (seal.covered_bytes + 12))
    assert not is_sound(started(flipped(Image.load(fake.shared()), address, bit)), seal)


@pytest.mark.parametrize("at", [0, 4, 8])
def test_a_bit_flipped_in_the_seal_is_found(seal: Seal, at: int) -> None:
    answer = started(flipped(Image.load(fake.shared()), seal.end + at, 3))
    assert isinstance(answer, Capability)
    assert answer.check.integrity is (Integrity.FLASH if at == 8 else Integrity.UNSEALED)


@pytest.fixture
def twin() -> Iterator[Twin]:
    twin = Twin(Image.load(fake.shared()), timing="instructions")
    yield twin
    twin.close()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), start=st.integers(1, 2**32 - 1))
@example(share=0.0, bit=0, start=1)
def test_constants_flipped_while_it_runs_are_found_on_demand(
    seal: Seal, twin: Twin, share: float, bit: int, start: int
) -> None:
    """In the model's constants, so that the check itself runs; the CRC begins where the host says."""
    wire = Wire(twin)
    address = twin.symbol("exponentials") + int(share * 1024)
    assert seal.begin <= address < seal.end
    sound = zlib.crc32(covered_bytes(fake.shared()), start)
    byte = twin.read(address, 1)[0]
    try:
        twin.write(address, bytes([byte ^ 1 << bit]))
        answer = ask(wire, Check(start))
        assert isinstance(answer, Checked)
        assert answer.crc != sound
    finally:
        twin.write(address, bytes([byte]))
    healed = ask(wire, Check(start))
    assert isinstance(healed, Checked)
    assert (healed.integrity, healed.crc) == (Integrity.SOUND, sound)


def test_a_firmware_that_found_itself_damaged_refuses_to_run_until_it_is_sound(twin: Twin) -> None:
    wire = Wire(twin)
    host = Transport(wire)
    address = twin.symbol("exponentials")
    word = twin.read(address, 4)

    def say(*messages: Message) -> Message:
        for message in messages:
            host.send(message)
        answer = host.receive(wire.now_s() + BOOT_S)
        assert answer is not None
        return answer.message

    say(Hello(PROTOCOL_VERSION))
    host.send(Configure(1000, BOOT_BAUD))
    twin.write(address, bytes([word[0] ^ 1]) + word[1:])
    found = say(Check(0))
    assert isinstance(found, Checked)
    assert found.integrity is Integrity.FLASH
    data = fake.sample(1).tobytes()
    upload = [Input(1, len(data), at, piece) for at, piece in fake.chunks_of(data)]
    assert say(*upload, Run(1)) == Reject(FrameType.RUN, RejectReason.DAMAGED)
    twin.write(address, word)
    found = say(Check(0))
    assert isinstance(found, Checked)
    assert found.integrity is Integrity.SOUND
    assert isinstance(say(Run(1)), Payload)
