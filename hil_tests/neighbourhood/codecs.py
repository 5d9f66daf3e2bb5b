"""Every codec over symbol statistics: the C encoder, the host's decoder, and what bits must cost."""

from __future__ import annotations

import struct
from dataclasses import replace

import lz4.block
import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec.coder import Coder, ProgressiveCoder
from hil.codec.order import order_of, to_runs
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Template, each
from hil.wire.protocol import CONTEXT_ALPHABET_MAX
from hil_tests.neighbourhood.firmware import HARNESS, ask
from hil_tests.neighbourhood.layers import random_of, whole
from hil_tests.unit.codec.payloads import PROGRESSIVE, STREAMING, coder_of, dearest

SOURCES = (*HARNESS, "hil_tests/unit/codec/payloads.py", "hil_tests/neighbourhood/layers.py")
ROOMS = ("codec", "mcu", "wire")
STATISTICS = (
    "constant",
    "last",
    "alternating",
    "skewed",
    "even",
    "runs",
    "ramp",
    "sparse",
    "dearest",
    "rare",
)
WHOLE, BY_RUNS, BY_ROWS = range(3)
SLACK_BYTES = 8
"""What an arithmetic coder's end, and its frequencies in 12 bits, may cost beyond the entropy."""


def form_of(parameters: Parameters) -> PayloadFormat:
    """The payload's format."""
    alphabet = whole(parameters, "alphabet")
    sizes = (whole(parameters, name) for name in ("channels", "height", "width"))
    return PayloadFormat(
        0, *sizes, tuple(map(float, range(alphabet))), "none", order=str(parameters["order"])
    )


def symbols_of(parameters: Parameters, coder: Coder) -> NDArray[np.uint8]:
    """Planar symbols of the statistics that were asked for."""
    random, count, alphabet = random_of(parameters), coder.form.symbols, len(coder.form.centroids)
    places = np.arange(count)
    made = {
        "constant": lambda: np.zeros(count),
        "last": lambda: np.full(count, alphabet - 1),
        "alternating": lambda: places % min(2, alphabet),
        "skewed": lambda: np.floor(alphabet * random.random(count) ** 6),
        "even": lambda: random.integers(0, alphabet, count),
        "runs": lambda: np.repeat(random.integers(0, alphabet, count // 40 + 1), 40)[:count],
        "ramp": lambda: places % alphabet,
        "sparse": lambda: np.where(random.random(count) < 0.02, random.integers(0, alphabet, count), 0),
        "dearest": lambda: dearest(coder),
        "rare": lambda: np.where(places == count - 1, alphabet - 1, 0),
    }[str(parameters["statistics"])]()
    return np.minimum(made, alphabet - 1).astype(np.uint8)


def in_c(coder: Coder, symbols: NDArray[np.uint8], capacity: int, way: int) -> bytes | None:
    """What the firmware's encoder makes; None where it refuses."""
    form, table = coder.form, b"" if coder.table is None else coder.table.tobytes()
    sizes = (
        form.height * form.width,
        form.channels,
        len(form.centroids),
        coder.wire,
        capacity,
        coder.scratch_bytes,
    )
    head = struct.pack("<10I", *sizes, len(table) // 4, order_of(form), form.width, way)
    answer = ask("P", head + table + to_runs(symbols, form).tobytes())
    return None if struct.unpack_from("<i", answer)[0] < 0 else answer[4:]


def _asker(name: str):
    def ask_one(parameters: Parameters) -> str:
        coder = coder_of(name, form_of(parameters), whole(parameters, "tables"))
        symbols = symbols_of(parameters, coder)
        payload = in_c(coder, symbols, coder.capacity, WHOLE)
        if payload is None:
            return f"the device refuses {symbols.size} symbols in its capacity of {coder.capacity} bytes"
        if not np.array_equal(coder.decode(payload), symbols):
            return "the host decodes other symbols than the device encoded"
        return _ways(name, coder, symbols, payload) or _size(name, coder, symbols, payload)

    ask_one.__module__ = __name__
    return ask_one


def _ways(name: str, coder: Coder, symbols: NDArray[np.uint8], payload: bytes) -> str:
    """The same bytes however the symbols come, in just enough room, and none in less."""
    if coder.encode(symbols) != payload:
        return "the host encodes other bytes than the device"
    ways = [WHOLE] + [BY_RUNS] * (name in STREAMING) + [BY_ROWS] * (name == "context")
    for way in ways:
        if in_c(coder, symbols, len(payload), way) != payload:
            return f"other bytes in just enough room, way {way}"
        if in_c(coder, symbols, len(payload) - 1, way) is not None:
            return f"a payload in one byte too few, way {way}"
    return ""


def _size(name: str, coder: Coder, symbols: NDArray[np.uint8], payload: bytes) -> str:
    """By what the codec's definition makes of these symbols, computed from the symbols alone."""
    form, packed = coder.form, to_runs(symbols, coder.form).reshape(-1)
    if name == "none":
        return "" if payload == packed.tobytes() else "raw bytes are not the symbols"
    if name == "lz4":
        planes = lz4.block.decompress(payload, uncompressed_size=form.symbols)
        return "" if len(planes) == form.symbols else "the reference decoder reads another number of bytes"
    if name == "lzw":
        want = _lzw_bits(packed.tolist(), max(2, len(form.centroids)))
        return "" if len(payload) == (want + 7) // 8 else f"{len(payload)} bytes, where LZW has {want} bits"
    if name == "huffman" and coder.table is not None:
        want = int(np.take_along_axis(coder.table >> 16, symbols.reshape(form.channels, -1), axis=1).sum())
        return (
            "" if len(payload) == (want + 7) // 8 else f"{len(payload)} bytes, where the code has {want} bits"
        )
    if name == "range" and coder.table is not None:
        share = np.take_along_axis(coder.table & 0xFFFF, symbols.reshape(form.channels, -1), axis=1)
        bits = float(-np.log2(share / share_total(coder)).sum())
        most = bits / 8 * 1.002 + SLACK_BYTES
        return "" if len(payload) <= most else f"{len(payload)} bytes, where the entropy is {bits / 8:.1f}"
    return ""


def share_total(coder: Coder) -> int:
    """What the frequencies of a channel sum up to."""
    assert coder.table is not None
    return int((coder.table & 0xFFFF)[0].sum())


def _lzw_bits(symbols: list[int], alphabet: int) -> int:
    """Textbook LZW with a table that freezes at 4,096 entries, as docs/protocol.md words its widths."""
    table = {(symbol,) for symbol in range(alphabet)}
    phrase: tuple[int, ...] = ()
    bits = codes = 0

    def width() -> int:
        return max(1, (min(alphabet + codes, 4096) - 1).bit_length())

    for symbol in symbols:
        if (*phrase, symbol) in table:
            phrase = (*phrase, symbol)
            continue
        bits += width()
        codes += 1
        if len(table) < 4096:
            table.add((*phrase, symbol))
        phrase = (symbol,)
    return bits + (width() if phrase else 0)


def _fits(name: str):
    def fits(parameters: Parameters) -> bool:
        form = form_of(parameters)
        if name == "context":
            return (
                form.order == "rows" and len(form.centroids) <= CONTEXT_ALPHABET_MAX and form.symbols <= 6000
            )
        return form.symbols <= 40_000

    return fits


def _prefix(parameters: Parameters) -> str:
    coder = coder_of(str(parameters["codec"]), replace(form_of(parameters)), whole(parameters, "tables"))
    assert isinstance(coder, ProgressiveCoder)
    symbols = symbols_of(parameters, coder)
    payload = in_c(coder, symbols, coder.capacity, WHOLE)
    if payload is None:
        return "the device refuses the symbols"
    pixels = coder.form.height * coder.form.width
    known = -1
    cuts = sorted(
        {0, 1, len(payload) - 1, len(payload), *random_of(parameters).integers(0, len(payload) + 1, 12)}
    )
    for cut in (cut for cut in cuts if cut >= 0):
        found = coder.decode_prefix(payload[:cut])
        if found.size % pixels or not np.array_equal(found, symbols[: found.size]):
            return (
                f"of the first {cut} of {len(payload)} bytes come {found.size} symbols that are not the first"
            )
        if found.size < known:
            return f"{cut} bytes give fewer symbols than fewer bytes did"
        known = found.size
    return "" if known == symbols.size else f"the whole payload gives {known} of {symbols.size} symbols"


def _parameters(orders: tuple[str, ...], alphabet: int, extent: int):
    return (
        Whole("channels", 1, 24, (2, 3)),
        Whole("height", 1, extent, (2,)),
        Whole("width", 1, extent, (2, 8, 9)),
        Whole("alphabet", 2, alphabet, tuple(n for n in (3, 4, 15, 16, 17, 255) if n <= alphabet)),
        Choice("order", orders),
        Choice("statistics", STATISTICS),
        Whole("tables", 0, 20),
        Data(),
    )


def _template(name: str, full: int, oracle: str) -> Template:
    context = name == "context"
    return Template(
        f"codec-{name}",
        f"Does what the device packs with codec {name!r} come back, in no more bytes than it should take?",
        _parameters(
            ("rows",) if context else ("planes", "rows"),
            CONTEXT_ALPHABET_MAX if context else 256,
            12 if context else 48,
        ),
        each(_asker(name)),
        f"the host's decoder and encoder; {oracle}",
        ROOMS,
        fits=_fits(name),
        full=full,
        sample=12,
        batch=25,
        sources=SOURCES,
    )


TEMPLATES = (
    _template("none", 300, "the symbols themselves"),
    _template("lzw", 400, "the bits of textbook LZW"),
    _template("range", 500, "the entropy under the table, and eight bytes"),
    _template("huffman", 400, "the lengths of the table's codes"),
    _template("lz4", 400, "the reference implementation's decoder"),
    _template("context", 500, "its capacity"),
    Template(
        "prefix",
        "Do the first bytes of a progressive payload give its first channels?",
        (Choice("codec", PROGRESSIVE), *_parameters(("planes",), 256, 20)),
        each(_prefix),
        "the symbols that were encoded",
        ROOMS,
        fits=lambda parameters: form_of(parameters).symbols <= 4000,
        full=400,
        sample=12,
        batch=25,
        sources=SOURCES,
    ),
)
