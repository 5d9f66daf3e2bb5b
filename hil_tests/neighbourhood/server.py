"""The server half in batches, and bundles on disk: neither may change an answer."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil import bundle as bundles
from hil.bundle import Bundle, InputFormat, Manifest, PayloadFormat
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Template, each
from hil.schemes.remote import RemoteHalf
from hil.zoo import shelf
from hil_tests.neighbourhood.layers import random_of, whole

SOURCES = ("hil_tests/neighbourhood/layers.py",)
SENDING = ("agilenn", "deepcod", "spinn", "edge_only")


@cache
def remote(scheme: str, dataset: str) -> RemoteHalf:
    return RemoteHalf(shelf.FOLDER / f"{scheme}-{dataset}.safetensors")


def _values(half: RemoteHalf, parameters: Parameters, random: np.random.Generator) -> NDArray[np.float32]:
    """One payload as the network takes it."""
    form = half.manifest.payload
    assert form is not None
    alphabet = len(form.centroids)
    kind = parameters["symbols"]
    drawn = {
        "likely": lambda: np.floor(alphabet * random.random(form.symbols) ** 4),
        "any": lambda: random.integers(0, alphabet, form.symbols),
        "least": lambda: np.zeros(form.symbols),
        "most": lambda: np.full(form.symbols, alphabet - 1),
    }[str(kind)]()
    centroids = np.array(form.centroids, np.float32)
    return centroids[drawn.astype(np.int64)].reshape(form.channels, form.height, form.width)


def _batch(parameters: Parameters) -> str:
    half, random = remote(str(parameters["scheme"]), str(parameters["dataset"])), random_of(parameters)
    values = [_values(half, parameters, random) for _ in range(whole(parameters, "size"))]
    place = min(whole(parameters, "place"), len(values) - 1)
    alone, together = half.logits([values[place]])[0], half.logits(values)[place]
    apart = np.abs(alone.astype(np.int64) - together.astype(np.int64))
    if not apart.any():
        return ""
    classes = " and another class" if alone.argmax() != together.argmax() else ""
    where = f"in a batch of {len(values)}, in {(apart > 0).sum()} classes"
    return f"{where} logits differ by up to {apart.max()} of 256ths{classes}"


def _bundle(parameters: Parameters) -> str:
    random = random_of(parameters)
    count = whole(parameters, "centroids")
    channels = whole(parameters, "channels")
    order = str(parameters["order"])
    payload = PayloadFormat(
        whole(parameters, "begin"),
        channels,
        whole(parameters, "height"),
        whole(parameters, "width"),
        tuple(np.sort(random.normal(0, 3, count)).tolist()),
        str(parameters["codec"]),
        order == "planes" and parameters["progressive"] == "yes",
        order,
    )
    stats = tuple(random.uniform(0, 1, 3).tolist())
    manifest = Manifest(
        scheme="agilenn",
        dataset="digits",
        classes=whole(parameters, "classes"),
        seed=whole(parameters, "data"),
        input=InputFormat(24, 24, 3, whole(parameters, "upscale"), stats, stats),
        payload=None if parameters["payload"] == "none" else payload,
        alpha=float(random.random()),
        config={
            "names": ["µ", "\\u2028", '"', ""],
            "real": float(random.random()),
            "nested": {"none": None, "yes": True},
        },
        metrics={"accuracy": float(random.random()), "tiny": 5e-324, "large": 1.7976931348623157e308},
        exit_confidence=float(random.random()) if parameters["exit"] == "yes" else None,
    )
    kinds = (np.float32, np.float64, np.int8, np.uint8, np.int64, np.uint16, np.int32)
    tensors = {}
    for index in range(whole(parameters, "tensors")):
        shape = tuple(int(n) for n in random.integers(0, 5, int(random.integers(0, 4))))
        kind = kinds[int(random.integers(len(kinds)))]
        values = (
            random.normal(0, 50, shape).astype(kind)
            if kind in kinds[:2]
            else random.integers(0, 100, shape).astype(kind)
        )
        tensors[f"device.{index}.w"] = values.T if parameters["layout"] == "transposed" else values
    return _comes_back(Bundle(manifest, tensors), manifest)


def _comes_back(bundle: Bundle, manifest: Manifest) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.safetensors"
        bundles.save(bundle, path)
        loaded, first = bundles.load(path), path.read_bytes()
        if loaded.manifest != manifest or bundles.read_manifest(path) != manifest:
            return "another manifest comes back"
        for name, values in bundle.tensors.items():
            found = loaded.tensors.get(name)
            if (
                found is None
                or found.dtype != values.dtype
                or found.shape != values.shape
                or not np.array_equal(found, values)
            ):
                return f"another {name} comes back"
        if loaded.tensors.keys() != bundle.tensors.keys():
            return "other tensors come back"
        bundles.save(loaded, path)
        if path.read_bytes() != first:
            return "saved again, the file has other bytes"
        return _damaged(path, first)


def _damaged(path: Path, whole_file: bytes) -> str:
    """A file that was cut short is refused, not read."""
    for size in {0, 1, 7, 8, len(whole_file) // 2, len(whole_file) - 1}:
        path.write_bytes(whole_file[:size])
        try:
            bundles.load(path)
        except bundles.BundleError:
            continue
        return f"the first {size} of {len(whole_file)} bytes are taken for a bundle"
    return ""


TEMPLATES = (
    Template(
        "server-batch",
        "Does a request get the same answer in a batch as alone?",
        (
            Choice("scheme", SENDING),
            Choice("dataset", ("digits", "cifar10")),
            Whole("size", 1, 32, (2, 3, 4, 8, 16)),
            Whole("place", 0, 31),
            Choice("symbols", ("likely", "any", "least", "most")),
            Data(),
        ),
        each(_batch),
        "the answer to the request alone",
        ("server", "schemes", "codec", "zoo"),
        batch=50,
        full=300,
        sample=8,
        sources=SOURCES,
    ),
    Template(
        "bundle",
        "Does a bundle come back from the disk as it was, and not at all when it was cut short?",
        (
            Choice("payload", ("some", "none")),
            Whole("begin", 0, 40),
            Whole("channels", 1, 64),
            Whole("height", 1, 32),
            Whole("width", 1, 32),
            Whole("centroids", 1, 256),
            Choice("codec", ("lzw", "none", "range", "context")),
            Choice("order", ("planes", "rows")),
            Choice("progressive", ("no", "yes")),
            Choice("exit", ("no", "yes")),
            Whole("classes", 2, 1000),
            Whole("upscale", 1, 8),
            Whole("tensors", 0, 8),
            Choice("layout", ("plain", "transposed")),
            Data(),
        ),
        each(_bundle),
        "what was written",
        (),
        batch=100,
        full=400,
        sample=20,
        sources=(*SOURCES, "host/hil/bundle.py"),
    ),
)
