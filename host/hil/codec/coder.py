"""What every lossless coder of payloads is to the rest of hil, and the one that a payload names.

A payload is a known number of symbols below a known alphabet. Coders take and give them channel after
channel, and pack them in the format's order. Each coder here has its twin in mcu/codec, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec import check, lz4, lzw, order, shuffle
from hil.codec.static import Context, Huffman, Range
from hil.errors import UsageError, unknown_name
from hil.wire.protocol import LZ4_SCRATCH_BYTES, LZ4_SYMBOLS_MAX, LZW_SCRATCH_BYTES, Codec

Tables = Mapping[str, NDArray[Any]]


class Coder(Protocol):
    """A coder for one payload format."""

    @property
    def form(self) -> PayloadFormat: ...

    @property
    def wire(self) -> Codec:
        """Its number in the generated header."""
        ...

    @property
    def scratch_bytes(self) -> int:
        """Memory that the device's encoder works in."""
        ...

    @property
    def capacity(self) -> int:
        """Bytes that an encoded payload can have at most."""
        ...

    @property
    def table(self) -> NDArray[np.uint32] | None:
        """Words that the device's encoder reads, as its source says, or None."""
        ...

    def encode(self, symbols: NDArray[np.uint8]) -> bytes:
        """Planar (symbols,) → payload. Raises CodecError on a symbol outside the alphabet."""
        ...

    def decode(self, payload: bytes) -> NDArray[np.uint8]:
        """Payload → planar (symbols,). Raises CodecError on any content that no encoder makes."""
        ...


@runtime_checkable
class ProgressiveCoder(Coder, Protocol):
    """A coder whose payloads can be read as far as they have arrived."""

    def decode_prefix(self, payload: bytes) -> NDArray[np.uint8]:
        """The first bytes of a payload → the symbols of the channels that are complete, in order.

        Raises CodecError where no encoder's payload begins like this, and in order "rows", where the
        first bytes hold no whole channel.
        """
        ...


class Raw:
    """One byte a symbol."""

    wire = Codec.NONE
    scratch_bytes = 0
    table = None

    def __init__(self, form: PayloadFormat) -> None:
        self.form = form
        self.capacity = form.symbols
        self._alphabet = len(form.centroids)

    def encode(self, symbols: NDArray[np.uint8]) -> bytes:
        """See `Coder.encode`."""
        return check.require(symbols, self.form).tobytes()

    def decode(self, payload: bytes) -> NDArray[np.uint8]:
        """See `Coder.decode`."""
        values = np.frombuffer(payload, dtype=np.uint8)
        check.require(values, self.form)
        return order.to_planes(values, self.form)

    def decode_prefix(self, payload: bytes) -> NDArray[np.uint8]:
        """See `ProgressiveCoder.decode_prefix`."""
        check.require_planes(self.form)
        pixels = self.form.height * self.form.width
        values = np.frombuffer(check.require_size(payload, self.capacity), dtype=np.uint8)
        check.require_alphabet(values, self._alphabet)
        return values[: len(values) // pixels * pixels]


class Lzw:
    """`hil.codec.lzw` for one payload format."""

    wire = Codec.LZW
    scratch_bytes = LZW_SCRATCH_BYTES
    table = None

    def __init__(self, form: PayloadFormat) -> None:
        self.form = form
        self._symbols, self._alphabet = form.symbols, max(2, len(form.centroids))
        self.capacity = lzw.encoded_bytes_max(self._symbols, self._alphabet)

    def encode(self, symbols: NDArray[np.uint8]) -> bytes:
        """See `Coder.encode`."""
        return lzw.encode(check.require(symbols, self.form).reshape(-1), self._alphabet)

    def decode(self, payload: bytes) -> NDArray[np.uint8]:
        """See `Coder.decode`."""
        found = lzw.decode(check.require_size(payload, self.capacity), self._symbols, self._alphabet)
        return order.to_planes(found, self.form)


class Lz4:
    """`hil.codec.lz4` over `hil.codec.shuffle` for one payload format, as SPINN packs its features.

    Raises UsageError when a payload is too long for the device's encoder.
    """

    wire = Codec.LZ4
    scratch_bytes = LZ4_SCRATCH_BYTES
    table = None

    def __init__(self, form: PayloadFormat) -> None:
        if form.symbols > LZ4_SYMBOLS_MAX:
            raise UsageError(
                f"codec 'lz4' takes {LZ4_SYMBOLS_MAX} symbols, the payload has {form.symbols}",
                "send fewer channels, or use 'huffman' or 'range'",
            )
        self.form = form
        self.capacity = lz4.encoded_bytes_max(form.symbols)

    def encode(self, symbols: NDArray[np.uint8]) -> bytes:
        """See `Coder.encode`."""
        whole = check.require(symbols, self.form).reshape(-1)
        return lz4.encode(shuffle.shuffle(whole).tobytes())

    def decode(self, payload: bytes) -> NDArray[np.uint8]:
        """See `Coder.decode`. Other LZ4 encoders' blocks are taken too."""
        planes = np.frombuffer(lz4.decode(payload, self.form.symbols), np.uint8)
        found = shuffle.unshuffle(planes)
        check.require(found, self.form)
        return order.to_planes(found, self.form)


_MAKERS: dict[str, Callable[[PayloadFormat, Tables], Coder]] = {
    "none": lambda form, tables: Raw(form),
    "lzw": lambda form, tables: Lzw(form),
    "lz4": lambda form, tables: Lz4(form),
    "huffman": Huffman,
    "range": Range,
    "context": Context,
}
CODECS = tuple(_MAKERS)


def make_coder(form: PayloadFormat, tables: Tables) -> Coder:
    """The coder that `form` names; `tables` are the bundle's tensors under `codec.`.

    Raises UsageError on an unknown codec or order, or a payload that the codec does not take; BundleError
    on tables that do not fit.
    """
    order.order_of(form)
    if form.codec not in _MAKERS:
        raise unknown_name("codec", form.codec, _MAKERS)
    return _MAKERS[form.codec](form, tables)
