"""The firmware's frames and codecs as a library that Python calls: both sides get the same bytes."""

from __future__ import annotations

import ctypes
import functools
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil import paths
from hil.codec.coder import Coder
from hil.codec.order import order_of, to_runs
from hil.wire import header
from hil.wire.frames import Damaged, Frame
from hil.wire.protocol import BODY_MAX, HEADER_BYTES, LZW_SCRATCH_BYTES, NakReason
from hil_tests.unit.mcu.harness import host_compiler

FLAGS = (
    "-std=gnu11",
    "-O1",
    "-shared",
    "-fPIC",
    "-fsanitize=undefined",
    "-fsanitize-undefined-trap-on-error",
)
_NOTHING, _FRAME = 0, 1


class _Bytes(ctypes.Structure):
    _fields_ = (("at", ctypes.c_void_p), ("count", ctypes.c_uint32))


class _Frame(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_uint8),
        ("kind", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("body", _Bytes),
    )


class _Decoding(ctypes.Structure):
    _fields_ = (("frame", _Frame), ("reason", ctypes.c_int), ("length", ctypes.c_uint32))


class _Decoder(ctypes.Structure):
    _fields_ = (
        ("encoded", ctypes.c_uint32),
        ("decoded", ctypes.c_uint32),
        ("crc", ctypes.c_uint32),
        ("block_left", ctypes.c_uint8),
        ("zero_due", ctypes.c_bool),
        ("header", ctypes.c_uint8 * HEADER_BYTES),
    )


class _Format(ctypes.Structure):
    _fields_ = (
        ("pixels", ctypes.c_uint32),
        ("feature_channels", ctypes.c_uint16),
        ("channel_begin", ctypes.c_uint16),
        ("channels", ctypes.c_uint16),
        ("alphabet", ctypes.c_uint16),
        ("codec", ctypes.c_uint8),
        ("order", ctypes.c_uint8),
        ("width", ctypes.c_uint16),
        ("table", ctypes.c_void_p),
    )


@functools.cache
def _library() -> Any:
    """None where there is no compiler."""
    compiler = host_compiler()
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        header.write(Path(folder))
        sources = [source for room in ("wire", "codec") for source in sorted((paths.MCU / room).glob("*.c"))]
        sources = [source for source in sources if source.name != "transport.c"]
        includes = [
            f"-I{folder}",
            *(f"-I{paths.MCU / room}" for room in ("wire", "codec", "runtime", "board")),
        ]
        made = f"{folder}/firmware.so"
        subprocess.run([compiler, *FLAGS, *includes, *map(str, sources), "-o", made], check=True)
        return ctypes.CDLL(made)


def is_there() -> bool:
    return _library() is not None


class StreamDecoder:
    """`hil.wire.frames.StreamDecoder` by mcu/wire/frame.c."""

    def __init__(self) -> None:
        self._decoder = _Decoder()
        self._body = (ctypes.c_uint8 * BODY_MAX)()

    def feed(self, data: bytes) -> list[Frame | Damaged]:
        """All that `data` completes."""
        put, found, decoding = _library().hil_decoder_put, [], _Decoding()
        for byte in data:
            verdict = put(
                ctypes.byref(self._decoder),
                ctypes.c_uint8(byte),
                self._body,
                BODY_MAX,
                ctypes.byref(decoding),
            )
            if verdict == _FRAME:
                frame = decoding.frame
                body = bytes(self._body[: frame.body.count])
                found.append(Frame(frame.kind, frame.sequence, body, frame.version))
            elif verdict != _NOTHING:
                found.append(Damaged(NakReason(decoding.reason), decoding.length))
        return found


def encode(coder: Coder, symbols: NDArray[np.uint8], capacity: int) -> bytes | None:
    """The payload of planar `symbols` by mcu/codec; None where they are refused."""
    form = coder.form
    runs = np.ascontiguousarray(to_runs(symbols, form)).copy()
    table = None if coder.table is None else np.ascontiguousarray(coder.table)
    made = _Format(
        pixels=form.height * form.width,
        channels=form.channels,
        alphabet=len(form.centroids),
        codec=coder.wire,
        order=order_of(form),
        width=form.width,
        table=None if table is None else table.ctypes.data,
    )
    scratch, out = (ctypes.c_uint32 * (coder.scratch_bytes // 4 + 1))(), (ctypes.c_uint8 * (capacity + 1))()
    encoded = _library().hil_encode(
        ctypes.byref(made), runs.ctypes.data_as(ctypes.c_void_p), scratch, out, capacity
    )
    return bytes(out[:encoded]) if encoded >= 0 else None


def decode_lzw(payload: bytes, symbols: int, alphabet: int) -> bytes | None:
    """By mcu/codec/hil_lzw_decode.c; None where the payload is refused."""
    scratch, out = (ctypes.c_uint8 * LZW_SCRATCH_BYTES)(), (ctypes.c_uint8 * (symbols + 1))()
    status = _library().hil_lzw_decode(payload, len(payload), symbols, alphabet, scratch, out)
    return bytes(out[:symbols]) if status == 0 else None
