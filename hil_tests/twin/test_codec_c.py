"""The codec and the kernels as the Cortex-M7 executes them, with their DSP instructions."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hil.codec import lzw
from hil.codec.coder import Coder, make_coder
from hil.codec.order import order_of, to_runs
from hil.codec.tables import make_tables
from hil.twin.image import Image
from hil.twin.twin import Twin
from hil.wire.protocol import LZW_ENTRIES
from hil_tests.twin import firmware_image as fake
from hil_tests.unit.codec.payloads import NAMES, ORDERS, coder_of, dearest, form_for, form_of, skewed

pytestmark = pytest.mark.twin

SCRATCH, INPUT, OUTPUT = 0x2001_8000, 0x2002_0000, 0x2003_0000
FORMAT, TABLE = 0x2001_0000, 0x2001_0100
ROOM = 0xF000


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    twin = Twin(Image.load(fake.shared()))
    yield twin
    twin.close()


def encode(twin: Twin, symbols: NDArray[np.uint8], alphabet: int) -> bytes:
    twin.write(INPUT, symbols.tobytes())
    count = twin.call("hil_lzw_encode", INPUT, symbols.size, alphabet, SCRATCH, OUTPUT, ROOM)
    return twin.read(OUTPUT, count)


def mostly_constant(count: int, alphabet: int, share: float, seed: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    symbols = rng.integers(0, alphabet, count, dtype=np.uint8)
    symbols[rng.random(count) < share] = alphabet // 2
    return symbols


@pytest.mark.parametrize("alphabet", [2, 5, 16, 256])
@pytest.mark.parametrize("share", [0.0, 0.7, 0.98])
def test_lzw_both_ways(twin: Twin, alphabet: int, share: float) -> None:
    symbols = mostly_constant(3000, alphabet, share, seed=alphabet)
    code = encode(twin, symbols, alphabet)
    assert code == lzw.encode(symbols, alphabet)
    twin.write(OUTPUT, code)
    assert twin.call("hil_lzw_decode", OUTPUT, len(code), symbols.size, alphabet, SCRATCH, INPUT) == 0
    assert twin.read(INPUT, symbols.size) == symbols.tobytes()


def test_a_full_table_freezes_alike(twin: Twin) -> None:
    symbols = np.random.default_rng(3).integers(0, 16, 40_000, dtype=np.uint8)
    code = encode(twin, symbols, 16)
    assert len(code) * 8 > LZW_ENTRIES * 12
    assert code == lzw.encode(symbols, 16)


def test_a_constant_stream_costs_few_cycles_a_symbol(twin: Twin) -> None:
    symbols = np.zeros(20_000, np.uint8)
    twin.write(INPUT, symbols.tobytes())
    before = twin.instructions
    twin.call("hil_lzw_encode", INPUT, symbols.size, 16, SCRATCH, OUTPUT, ROOM)
    assert (twin.instructions - before) / symbols.size < 14


def encode_payload(twin: Twin, coder: Coder, symbols: NDArray[np.uint8]) -> bytes:
    """By the dispatch that the firmware uses, with the coder's table and format in RAM."""
    form, table = coder.form, b"" if coder.table is None else coder.table.tobytes()
    sizes = (form.channels, 0, form.channels, len(form.centroids), coder.wire, order_of(form), form.width)
    twin.write(FORMAT, struct.pack("<IHHHHBBHI", form.height * form.width, *sizes, TABLE))
    twin.write(TABLE, table)
    twin.write(INPUT, to_runs(symbols, form).tobytes())
    count = twin.call("hil_encode", FORMAT, INPUT, SCRATCH, OUTPUT, coder.capacity)
    return twin.read(OUTPUT, count)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("alphabet", "skew"), [(2, 0.1), (16, 0.2), (16, 1.0), (256, 0.3)])
def test_every_codec_packs_as_the_host_does(
    twin: Twin, name: str, order: str, alphabet: int, skew: float
) -> None:
    form = form_for(name, 7, 21, 23, alphabet)
    coder = coder_of(name, form if name == "context" else replace(form, order=order), seed=alphabet)
    likely = skewed(alphabet, coder.form.symbols, len(coder.form.centroids), skew)
    for symbols in (likely, dearest(coder)):
        assert encode_payload(twin, coder, symbols) == coder.encode(symbols)


@pytest.mark.parametrize(("name", "most"), [("range", 14), ("huffman", 12)])
def test_a_likely_symbol_costs_few_instructions(twin: Twin, name: str, most: int) -> None:
    counts = np.tile([1000, *[1] * 15], (19, 1))
    coder = make_coder(form_of(19, 32, 32, 16, name), make_tables(name, counts))
    before = twin.instructions
    encode_payload(twin, coder, np.zeros(coder.form.symbols, np.uint8))
    assert (twin.instructions - before) / coder.form.symbols < most


@pytest.mark.parametrize(("low", "high"), [(-128, 127), (0, 127), (-7, 5), (-128, -128), (100, 127)])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 257])
def test_clamp_with_simd(twin: Twin, low: int, high: int, count: int) -> None:
    values = np.random.default_rng(count).integers(-128, 128, count, dtype=np.int8)
    for odd in (0, 1):
        twin.write(INPUT + odd, values.tobytes())
        twin.write(OUTPUT, b"\x55" * (count + 4))
        twin.call("hil_clamp_s8", INPUT + odd, count, low, high, OUTPUT + odd)
        assert twin.read(OUTPUT + odd, count) == values.clip(low, high).tobytes()
        assert twin.read(OUTPUT + odd + count, 1) == b"\x55"


def test_pad_and_slice(twin: Twin) -> None:
    image = np.random.default_rng(8).integers(-128, 128, (5, 7, 3), dtype=np.int8)
    twin.write(INPUT, image.tobytes())
    twin.call("hil_pad_s8", INPUT, 5, 7, 3, 1, 2, 0, 3, -9, OUTPUT)
    padded = np.pad(image, ((1, 2), (0, 3), (0, 0)), constant_values=-9)
    assert twin.read(OUTPUT, padded.size) == padded.tobytes()
    twin.call("hil_slice_channels_s8", INPUT, 35, 3, 1, 3, OUTPUT)
    assert twin.read(OUTPUT, 70) == image[..., 1:].tobytes()
