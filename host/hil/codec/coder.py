"""What every lossless coder of payloads is to the rest of hil, and the one that a payload names.

A payload is a known number of symbols below a known alphabet, channel after channel. Each coder here
has its twin in mcu/codec, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec import lzw
from hil.errors import CodecError, unknown_name
from hil.wire.protocol import LZW_SCRATCH_BYTES, Codec


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

    def encode(self, symbols: NDArray[np.uint8]) -> bytes:
        """(symbols,) → payload. Raises CodecError on a symbol outside the alphabet."""
        ...

    def decode(self, payload: bytes) -> NDArray[np.uint8]:
        """Payload → (symbols,). Raises CodecError on any content that no encoder makes."""
        ...


class Raw:
    """One byte a symbol."""

    wire = Codec.NONE
    scratch_bytes = 0

    def __init__(self, form: PayloadFormat) -> None:
        self.form = form
        self.capacity = form.symbols
        self._alphabet = len(form.centroids)

    def encode(self, symbols: NDArray[np.uint8]) -> bytes:
        """See `Coder.encode`."""
        self._check(symbols)
        return symbols.tobytes()

    def decode(self, payload: bytes) -> NDArray[np.uint8]:
        """See `Coder.decode`."""
        symbols = np.frombuffer(payload, dtype=np.uint8)
        if len(symbols) != self.capacity:
            raise CodecError(f"the payload has {len(symbols)} symbols, not {self.capacity}")
        self._check(symbols)
        return symbols

    def _check(self, symbols: NDArray[np.uint8]) -> None:
        if symbols.size and int(symbols.max()) >= self._alphabet:
            raise CodecError(f"symbol {int(symbols.max())} is outside an alphabet of {self._alphabet}")


class Lzw:
    """`hil.codec.lzw` for one payload format."""

    wire = Codec.LZW
    scratch_bytes = LZW_SCRATCH_BYTES

    def __init__(self, form: PayloadFormat) -> None:
        self.form = form
        self._symbols, self._alphabet = form.symbols, max(2, len(form.centroids))
        self.capacity = lzw.encoded_bytes_max(self._symbols, self._alphabet)

    def encode(self, symbols: NDArray[np.uint8]) -> bytes:
        """See `Coder.encode`."""
        return lzw.encode(symbols, self._alphabet)

    def decode(self, payload: bytes) -> NDArray[np.uint8]:
        """See `Coder.decode`."""
        return lzw.decode(payload, self._symbols, self._alphabet)


def make_coder(form: PayloadFormat, tables: Mapping[str, NDArray[Any]]) -> Coder:
    """The coder that `form` names; `tables` are the bundle's tensors under `codec.`.

    Raises UsageError on an unknown name.
    """
    coders: dict[str, Callable[[PayloadFormat], Coder]] = {"none": Raw, "lzw": Lzw}
    if form.codec not in coders:
        raise unknown_name("codec", form.codec, coders)
    return coders[form.codec](form)
