"""A trained scheme ready to deploy: one safetensors file, its manifest in the header as JSON.

Reading a manifest needs neither torch nor the network's code, so that a warm `hil run` starts fast.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from hil import manifest_check
from hil.data.dataset import unit
from hil.documents import json_of
from hil.durable import write_whole
from hil.errors import BundleError

SCHEMA = 1
_KEY = "hil"


@dataclass(frozen=True)
class InputFormat:
    """What the device half takes: `(height, width, channels)`, after upscaling and normalising."""

    height: int
    width: int
    channels: int
    upscale: int
    """Every pixel of the data set becomes `upscale` × `upscale` pixels (nearest)."""
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def prepare(self, images: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """`images` (N, H, W, C) as a split holds them → network input (N, height, width, channels)."""
        scaled = unit(images).repeat(self.upscale, axis=1).repeat(self.upscale, axis=2)
        if scaled.shape[1:] != (self.height, self.width, self.channels):
            raise BundleError(
                f"images of {images.shape[1:]} do not become {self.height}×{self.width}×{self.channels}",
                "the bundle was trained on another data set",
            )
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        return ((scaled - mean) / std).astype(np.float32)


@dataclass(frozen=True)
class PayloadFormat:
    """What crosses the link: channels `[channel_begin, channel_begin + channels)` of the feature map.

    Each value becomes the index of its nearest centroid; `order` says which index comes first.
    """

    channel_begin: int
    channels: int
    height: int
    width: int
    centroids: tuple[float, ...]
    """Ascending."""
    codec: str = "lzw"
    progressive: bool = False
    """Whether the server half was trained to answer from the first channels alone."""
    order: str = "planes"
    """`planes`: channel by channel, each row by row; `rows`: row by row, in each channel by channel."""

    @property
    def symbols(self) -> int:
        return self.channels * self.height * self.width

    @property
    def raw_bytes(self) -> int:
        """Size before entropy coding, at ceil(log2(centroids)) bits a symbol."""
        return (self.symbols * max(1, (len(self.centroids) - 1).bit_length()) + 7) // 8


@dataclass(frozen=True)
class Manifest:
    """Everything about a bundle but its weights."""

    scheme: str
    dataset: str
    classes: int
    seed: int
    input: InputFormat
    payload: PayloadFormat | None
    alpha: float
    """The local half's share in the fused logits: fused = alpha·local + (1 − alpha)·remote."""
    config: dict[str, Any]
    """The scheme's own architecture and training settings; `Scheme.build` makes the modules from it."""
    metrics: dict[str, float] = field(default_factory=dict)
    """At least `accuracy` (float model, whole test split); agilenn adds `skewness`."""
    exit_confidence: float | None = None
    """The local answer stands, and nothing is sent, where its top-1 softmax is at least this."""


@dataclass(frozen=True)
class Bundle:
    """A manifest and its tensors. Names start with `device.`, `server.`, `codec.`, `record.` or `ranges.`.

    `record.predictions` (int64) holds the float model's prediction for every test sample;
    `record.calibration` (N,H,W,C) holds images of the training split, as that has them, for int8
    calibration: `InputFormat.prepare` makes network input of them.
    `ranges.<activation>` (float64, (2,)) is there where training fixed it, and then for every one.
    """

    manifest: Manifest
    tensors: dict[str, NDArray[Any]]

    def part(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The tensors under `prefix.`, without the prefix."""
        return {
            k.removeprefix(prefix + "."): v for k, v in self.tensors.items() if k.startswith(prefix + ".")
        }


def save(bundle: Bundle, path: Path) -> None:
    """Writes `bundle` to `path`, whole or not at all, whoever else does the same. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {_KEY: json.dumps({"schema": SCHEMA, **_as_json(bundle.manifest)}, sort_keys=True)}
    contiguous = {name: np.asarray(value, order="C") for name, value in bundle.tensors.items()}
    write_whole(path, safetensors.numpy.save(contiguous, metadata=header))


def _as_json(manifest: Manifest) -> dict[str, Any]:
    """Fields that came later are left out at their defaults, so that older bundles keep their bytes."""
    plain = asdict(manifest)
    if manifest.exit_confidence is None:
        del plain["exit_confidence"]
    if manifest.payload is not None:
        for name, default in (("progressive", False), ("order", "planes")):
            if plain["payload"][name] == default:
                del plain["payload"][name]
    return plain


def read_manifest(path: Path) -> Manifest:
    """The manifest of the bundle at `path`. Raises BundleError when it is no intact bundle."""
    try:
        with safetensors.safe_open(path, framework="np") as file:
            header = (file.metadata() or {}).get(_KEY)
    except FileNotFoundError:
        raise BundleError(f"there is no bundle at {path}", "make one with `hil train`") from None
    except (safetensors.SafetensorError, OSError) as error:
        raise BundleError(f"{path} is not a readable bundle: {error}", "make one with `hil train`") from None
    if header is None:
        raise BundleError(f"{path} is a safetensors file, but not a hil bundle", "make one with `hil train`")
    try:
        fields = json_of(header)
        schema = fields.pop("schema")
        if schema != SCHEMA:
            raise BundleError(f"{path} has bundle schema {schema}, not {SCHEMA}", "train it again")
        inputs, payload = fields.pop("input"), fields.pop("payload")
        manifest = Manifest(
            input=InputFormat(**{**inputs, "mean": tuple(inputs["mean"]), "std": tuple(inputs["std"])}),
            payload=payload and PayloadFormat(**{**payload, "centroids": tuple(payload["centroids"])}),
            **fields,
        )
        if wrong := manifest_check.complaint(manifest):
            raise ValueError(wrong)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"{path} has a damaged manifest: {error}", "train it again") from None
    return manifest


def load(path: Path) -> Bundle:
    """The bundle at `path`. Raises BundleError when it is no intact bundle."""
    manifest = read_manifest(path)
    try:
        return Bundle(manifest, safetensors.numpy.load_file(path))
    except (safetensors.SafetensorError, OSError) as error:
        raise BundleError(f"{path} is damaged: {error}", "train it again") from None


def digest(path: Path) -> bytes:
    """SHA-256 of the file: the identity that firmware and server are checked against."""
    return hashlib.sha256(path.read_bytes()).digest()
