"""Bundles from strangers: the safetensors header, the manifest in it, the tables; only HilError comes out.

Networks are left out: to build one takes as long as hundreds of inputs here. They are in
hil_tests/unit/schemes/test_halves.py.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import shutil
import struct
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from hil import bundle as bundles
from hil.bundle import Bundle, InputFormat, Manifest, PayloadFormat
from hil.codec.coder import make_coder
from hil.codec.tables import tables_from
from hil.errors import CodecError, HilError
from hil_tests.fuzz.python.places import changed, nested

_FOLDER = Path(tempfile.mkdtemp(prefix="hil-fuzz-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
_PATH = _FOLDER / "strange.safetensors"
_CODECS = ("lzw", "range", "context", "none")


@cache
def _sound(codec: str) -> bytes:
    """A small bundle, as bytes."""
    order = "rows" if codec == "context" else "planes"
    form = PayloadFormat(0, 2, 3, 4, (-1.0, 0.0, 0.5, 2.0), codec, order=order)
    manifest = Manifest(
        scheme="agilenn",
        dataset="digits",
        classes=10,
        seed=0,
        input=InputFormat(8, 8, 1, 1, (0.5,), (0.25,)),
        payload=form,
        alpha=0.5,
        config={"recipe": {"channels": 4}},
        metrics={"accuracy": 0.9},
    )
    symbols = np.random.default_rng(1).integers(0, 4, (20, form.symbols), dtype=np.uint8)
    tensors = {f"codec.{name}": value for name, value in tables_from(form, symbols).items()}
    tensors["server.weight"] = np.zeros((2, 2), np.float32)
    bundles.save(Bundle(manifest, tensors), _PATH)
    return _PATH.read_bytes()


@cache
def _parts(codec: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Its manifest and its tensors."""
    (_FOLDER / "sound").write_bytes(_sound(codec))
    with safetensors.safe_open(_FOLDER / "sound", framework="np") as file:
        manifest = json.loads(file.metadata()["hil"])
    return manifest, safetensors.numpy.load_file(_FOLDER / "sound")


def one(data: bytes) -> None:
    """The first byte says what the rest is: a file, a file's header, a manifest, or changes of one."""
    what = data[0] if data else 0
    rest, codec = data[1:], _CODECS[what // 4 % len(_CODECS)]
    if what % 4 == 0:
        content = rest
    elif what % 4 == 1:
        content = struct.pack("<Q", len(rest)) + rest + bytes(64)
    else:
        manifest, tensors = _parts(codec)
        text = json.dumps(changed(manifest, rest)) if what % 4 == 2 else rest.decode(errors="replace")
        content = safetensors.numpy.save(tensors, metadata={"hil": text})
    _PATH.write_bytes(content)
    try:
        loaded = bundles.load(_PATH)
        assert loaded.manifest == bundles.read_manifest(_PATH)
        payload = loaded.manifest.payload
        if payload is None:
            return
        coder = make_coder(payload, loaded.part("codec"))
    except HilError:
        return
    assert coder.capacity <= 1 << 24
    for noise in (b"", bytes(9), b"\xff" * 40):
        with contextlib.suppress(CodecError):
            assert coder.decode(noise).shape == (payload.symbols,)
    with contextlib.suppress(HilError):
        loaded.manifest.input.prepare(np.zeros((1, *_image(loaded.manifest.input)), np.float32))


def _image(form: InputFormat) -> tuple[int, int, int]:
    """The pictures that the format takes, or nearly."""
    return max(1, form.height // form.upscale), max(1, form.width // form.upscale), form.channels


def seeds() -> Iterator[bytes]:
    """Sound bundles, headers and manifests."""
    for index, codec in enumerate(_CODECS):
        sound = _sound(codec)
        size = struct.unpack("<Q", sound[:8])[0]
        yield bytes([4 * index]) + sound
        yield bytes([4 * index + 1]) + sound[8 : 8 + size]
        yield bytes([4 * index + 2]) + bytes([5, 0])
        yield bytes([4 * index + 3]) + json.dumps(_parts(codec)[0]).encode()
    yield bytes([3]) + nested(3000).encode()
