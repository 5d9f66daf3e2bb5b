"""The LZ4 block format, against the reference library."""

from __future__ import annotations

import lz4.block
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.codec import lz4 as ours
from hil.codec.shuffle import shuffle, unshuffle
from hil.errors import CodecError
from hil.wire.protocol import LZ4_SYMBOLS_MAX, SHUFFLE_BLOCK
from hil_tests.unit.codec.payloads import skewed

MODES = ({"mode": "default"}, {"mode": "fast", "acceleration": 8}, {"mode": "high_compression"})


@st.composite
def data(draw: st.DrawFn) -> bytes:
    """Random, repetitive and both after one another."""
    parts = draw(
        st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 60)), min_size=1, max_size=8)
    )
    return b"".join(part * times for part, times in parts)


@given(data())
def test_the_library_reads_our_blocks(content: bytes) -> None:
    block = ours.encode(content)
    assert len(block) <= ours.encoded_bytes_max(len(content))
    assert lz4.block.decompress(block, uncompressed_size=len(content)) == content


@pytest.mark.parametrize("options", MODES)
@given(content=data())
def test_we_read_the_librarys_blocks(options: dict[str, object], content: bytes) -> None:
    block = lz4.block.compress(content, store_size=False, **options)
    assert ours.decode(block, len(content)) == content


@pytest.mark.parametrize("count", [*range(20), 255 + 14, 255 + 15, 255 + 16, 70, 60_000, LZ4_SYMBOLS_MAX])
@pytest.mark.parametrize("alphabet", [1, 2, 256])
def test_lengths_at_every_edge(count: int, alphabet: int) -> None:
    content = np.random.default_rng(count).integers(0, alphabet, count, dtype=np.uint8).tobytes()
    block = ours.encode(content)
    assert len(block) <= ours.encoded_bytes_max(count)
    assert ours.decode(block, count) == content
    assert ours.decode(lz4.block.compress(content, store_size=False), count) == content
    if count:
        assert lz4.block.decompress(block, uncompressed_size=count) == content


def test_noise_takes_the_whole_capacity() -> None:
    content = np.random.default_rng(1).permutation(256).astype(np.uint8).tobytes()
    assert len(ours.encode(content)) == ours.encoded_bytes_max(256)


@given(st.binary(max_size=80), st.integers(1, 400))
def test_what_we_read_the_library_reads_alike(block: bytes, count: int) -> None:
    try:
        content = ours.decode(block, count)
    except CodecError:
        return
    assert lz4.block.decompress(block, uncompressed_size=count) == content


@given(data(), st.integers(0, 2**32), st.integers(1, 255))
def test_a_damaged_block_is_refused_or_read_as_the_library_does(content: bytes, at: int, flip: int) -> None:
    block = bytearray(ours.encode(content))
    block[at % len(block)] ^= flip
    try:
        found = ours.decode(bytes(block), len(content))
    except CodecError:
        return
    assert lz4.block.decompress(bytes(block), uncompressed_size=len(content)) == found


@pytest.mark.parametrize(
    ("block", "count"),
    [
        (b"", 1),
        (b"\x10", 1),
        (b"\x10a\x01\x00", 30),  # ends in a match
        (b"\x10a\x02\x00\x50bcdef", 10),  # offset before the beginning
        (b"\x10a\x00\x00\x50bcdef", 10),  # offset 0
        (b"\x10a\x01\x00\x50bcdef", 10),  # the match begins less than 12 bytes before the end
        (b"\x1fa\x01\x00\xff\xff\xff", 1000),  # a length without an end
        (b"\xf0\xff\xff\xff\xff\xff", 100),  # longer than what is left
        (b"\x11a", 1),  # a match length behind the last literals
        (b"\x20ab", 1),
    ],
)
def test_what_is_no_block_is_refused(block: bytes, count: int) -> None:
    with pytest.raises(CodecError):
        ours.decode(block, count)


def test_more_than_the_device_takes_is_refused() -> None:
    with pytest.raises(CodecError, match="takes: 65535"):
        ours.encode(bytes(LZ4_SYMBOLS_MAX + 1))


@given(st.integers(0, 3 * SHUFFLE_BLOCK + 9), st.integers(0, 2**32 - 1))
def test_the_shuffle_goes_both_ways(count: int, seed: int) -> None:
    symbols = skewed(seed, count, 256, 0.5)
    assert np.array_equal(unshuffle(shuffle(symbols)), symbols)


def test_the_shuffle_collects_bits_of_a_kind() -> None:
    symbols = np.array([1, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 0, 0, 0, 0, 128, 77], np.uint8)
    planes = [0x81, 0x02, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]
    assert shuffle(symbols).tolist() == [*planes, 77]
