"""A bundle behind another codec: the same network, its payload packed otherwise.

Tables come from what the int8 device half sends of the calibration images that travel in the bundle, so
that they follow from the bundle alone. The outcome is a bundle of its own, with a hash of its own:
firmware and server that do not agree on the codec do not agree on the bundle, and say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil import bundle as bundles
from hil import paths
from hil.bundle import Bundle, PayloadFormat
from hil.codec.coder import CODECS, ProgressiveCoder, make_coder
from hil.codec.tables import STATIC, tables_from
from hil.deploy.build import source_hash
from hil.deploy.codecs.symbols import calibration_symbols
from hil.errors import UsageError, unknown_name

Symbols = NDArray[np.uint8]

_ROOMS = ("codec", "deploy", "wire")
_OF_THE_CODEC = ("payload_bytes", "payload_bytes_p95")
"""Figures of a manifest that belong to the codec it was trained with."""


def recode(path: Path, codec: str, order: str | None = None) -> Path:
    """The bundle at `path` with its payload packed by `codec` in `order`, from the cache or made now.

    It is `path` itself where that is so already. Without an `order` it is the one that the device can
    encode while it computes, which is `rows` for most codecs. Raises UsageError on a codec or order that
    this payload cannot have, BundleError where there is nothing to make tables from.
    """
    manifest = bundles.read_manifest(path)
    if manifest.payload is None:
        raise UsageError(
            f"scheme {manifest.scheme!r} sends nothing that a codec could pack", "leave --codec out"
        )
    form = format_for(manifest.payload, codec, order)
    if form == manifest.payload:
        return path
    target = _target(path, form)
    if not target.is_file():
        bundle = bundles.load(path)
        bundles.save(recoded(bundle, form, _symbols(bundle)), target)
    return target


def format_for(payload: PayloadFormat, codec: str, order: str | None = None) -> PayloadFormat:
    """`payload` with another codec. Raises UsageError on an unknown one."""
    if codec not in CODECS:
        raise unknown_name("codec", codec, CODECS)
    if codec == payload.codec and order is None:
        return payload
    streams = codec != "lz4" and not payload.progressive
    return replace(payload, codec=codec, order=order or ("rows" if streams else "planes"))


def recoded(bundle: Bundle, form: PayloadFormat, symbols: Callable[[], Symbols]) -> Bundle:
    """`bundle` with the payload `form`, whose tables are made from `symbols` (N, symbols) if it needs any.

    Raises UsageError where the codec does not take such a payload.
    """
    tables = tables_from(form, symbols()) if form.codec in STATIC else {}
    coder = make_coder(form, tables)
    if form.progressive and not isinstance(coder, ProgressiveCoder):
        raise UsageError(
            f"the bundle is progressive, but codec {form.codec!r} is read whole or not at all",
            "take 'range', 'huffman' or 'none'",
        )
    kept = {name: value for name, value in bundle.tensors.items() if not name.startswith("codec.")}
    tensors = kept | {f"codec.{name}": table for name, table in tables.items()}
    metrics = {name: v for name, v in bundle.manifest.metrics.items() if name not in _OF_THE_CODEC}
    return Bundle(replace(bundle.manifest, payload=form, metrics=metrics), tensors)


def _symbols(bundle: Bundle) -> Callable[[], Symbols]:
    def symbols() -> Symbols:
        from hil.deploy.package import make_graph

        return calibration_symbols(bundle, make_graph(bundle))

    return symbols


def _target(path: Path, form: PayloadFormat) -> Path:
    """The cache file, named by the hash of the bundle, the format and the sources that make the tables."""
    sources = source_hash(*(paths.PACKAGE / room for room in _ROOMS))
    parts = (bundles.digest(path).hex(), repr(form), sources)
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
    return paths.cache_dir() / "recoded" / f"{path.stem}-{form.codec}-{key}.safetensors"
