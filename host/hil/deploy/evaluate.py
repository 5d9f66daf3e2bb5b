"""A bundle's whole system on the host, without a board: in int8 as it is deployed, and in float beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hil.bundle import Bundle, Manifest, PayloadFormat
from hil.codec.coder import make_coder
from hil.deploy.deployment import Fusion
from hil.deploy.exit import make_exit, stands
from hil.deploy.fuse import fuse_all, make_fusion, symbol_table
from hil.deploy.graph import Graph
from hil.deploy.interpret import interpret
from hil.deploy.package import make_graph
from hil.errors import UsageError
from hil.schemes.halves import load_device, load_server
from hil.schemes.remote import to_fixed

Images = NDArray[np.float32] | NDArray[np.uint8]
Classes = NDArray[np.int64]
Sure = Callable[[NDArray[np.int8]], NDArray[np.bool_]]
"""Local logits (N, classes) → (N,) where the local answer stands and nothing is sent."""

_BATCH_ELEMENTS = 1 << 20
"""Of a batch's largest map: its temporaries stay in the processor's cache, and memory below 200 MB."""
_BATCH_MAX = 64


def sure_of(manifest: Manifest, graph: Graph) -> Sure:
    """The bundle's own exit rule, as the device decides; a bundle without one is never sure."""
    if manifest.exit_confidence is None or not graph.logits:
        return lambda logits: np.zeros(len(logits), np.bool_)
    rule = make_exit(manifest.exit_confidence, graph.tensor(graph.logits))
    return lambda logits: stands(rule, logits)


@dataclass(frozen=True)
class Int8Evaluation:
    """What the deployed system answers to N labelled samples, and what the float one does."""

    labels: Classes
    """(N,)"""
    predictions: Classes
    """(N,) int8 device half, coded payload, float server half, integer fusion."""
    local_predictions: Classes | None
    """(N,) of the device half alone; None where it has no logits."""
    payload_bytes: NDArray[np.int64] | None
    """(N,) encoded size, 0 where nothing was sent; None where the sizes were not asked for."""
    exited: NDArray[np.bool_]
    """(N,) where the local answer stood."""
    float_predictions: Classes
    """(N,) of the float halves, payload quantised to centroids."""

    @property
    def accuracy(self) -> float:
        """Share of samples that the deployed system gets right."""
        return _share(self.predictions == self.labels)

    @property
    def local_accuracy(self) -> float | None:
        """The device half's own."""
        return None if self.local_predictions is None else _share(self.local_predictions == self.labels)

    @property
    def float_accuracy(self) -> float:
        """The float halves'."""
        return _share(self.float_predictions == self.labels)

    @property
    def drop(self) -> float:
        """What int8 costs, as a share of the samples; negative where it happens to gain."""
        return self.float_accuracy - self.accuracy


def _share(right: NDArray[np.bool_]) -> float:
    return float(np.mean(right))


def evaluate_int8(
    bundle: Bundle,
    images: Images,
    labels: Classes,
    *,
    graph: Graph | None = None,
    sure: Sure | None = None,
    sizes: bool = True,
    float_predictions: Classes | None = None,
) -> Int8Evaluation:
    """Answers to `images` (N, H, W, C), uint8 or float32 in [0, 1], as a board and the server would give.

    Bit-exact with a run but for the last bit of the server's logits, whose sums depend on the
    batch. `graph` is the bundle's own where it is made already, `sure` another exit rule than the
    bundle's. Two server halves and the coder take nearly all the time: without `sizes` nothing is
    encoded, and with `float_predictions` (N,), as the bundle's `record.predictions` are for the whole
    test split, the float halves rest.

    Raises BundleError, or CaptureError as `make_graph` does.
    """
    made = graph or make_graph(bundle)
    system = Int8System(bundle, made, sure, sizes)
    parts = [system.answer(part) for part in batches(images, bundle.manifest, made)]
    if float_predictions is None:
        real = FloatSystem(bundle)
        predicted = [real.predict(part) for part in batches(images, bundle.manifest, made)]
        float_predictions = np.concatenate(predicted)
    local = [answer.local for answer in parts if answer.local is not None]
    payloads = [answer.payload_bytes for answer in parts if answer.payload_bytes is not None]
    return Int8Evaluation(
        labels=np.asarray(labels, np.int64),
        predictions=np.concatenate([answer.predictions for answer in parts]),
        local_predictions=np.concatenate(local) if local else None,
        payload_bytes=np.concatenate(payloads) if payloads else None,
        exited=np.concatenate([answer.exited for answer in parts]),
        float_predictions=np.asarray(float_predictions, np.int64),
    )


def batches(images: Images, manifest: Manifest, graph: Graph) -> Iterator[NDArray[np.float32]]:
    """`images` as network input, a few at a time."""
    largest = max(tensor.elements for tensor in graph.tensors.values())
    size = max(1, min(_BATCH_MAX, _BATCH_ELEMENTS // largest))
    for start in range(0, len(images), size):
        yield manifest.input.prepare(images[start : start + size])


@dataclass(frozen=True)
class Answers:
    """A batch's share of an `Int8Evaluation`."""

    predictions: Classes
    local: Classes | None
    payload_bytes: NDArray[np.int64] | None
    exited: NDArray[np.bool_]


class Int8System:
    """Device half, coder, server half and fusion of one bundle, in the arithmetic of a deployment."""

    def __init__(self, bundle: Bundle, graph: Graph, sure: Sure | None = None, sizes: bool = True) -> None:
        self.graph = graph
        self._sure = sure or sure_of(bundle.manifest, graph)
        self._with_sizes = sizes
        self._payload = bundle.manifest.payload
        if self._payload is None or graph.feature is None:
            self._payload = None
            return
        self._coder = make_coder(self._payload, bundle.part("codec"))
        self._server = _Server(load_server(bundle), self._payload)
        self._symbol_of = symbol_table(graph.tensor(graph.feature), self._payload.centroids)
        logits = graph.tensor(graph.logits) if graph.logits else None
        self._fusion: Fusion = make_fusion(bundle.manifest.alpha, logits)

    def answer(self, inputs: NDArray[np.float32]) -> Answers:
        """Answers to a batch of network inputs (N, height, width, channels)."""
        count = len(inputs)
        values = interpret(self.graph, self.graph.tensor(self.graph.input).quantise(inputs))
        local = values[self.graph.logits].reshape(count, -1) if self.graph.logits else None
        alone = None if local is None else local.argmax(axis=1)
        sizes = np.zeros(count, np.int64) if self._with_sizes else None
        if self._payload is None:
            assert alone is not None
            return Answers(alone, alone, sizes, np.zeros(count, np.bool_))
        exited = np.zeros(count, np.bool_) if local is None else self._sure(local)
        predictions = np.zeros(count, np.int64) if alone is None else alone.copy()
        if len(asked := np.flatnonzero(~exited)):
            assert self.graph.feature is not None
            symbols = self._symbols(values[self.graph.feature][asked], self._payload)
            predictions[asked] = fuse_all(
                self._fusion, None if local is None else local[asked], to_fixed(self._server(symbols))
            ).argmax(axis=1)
            if sizes is not None:
                sizes[asked] = [len(self._coder.encode(part)) for part in symbols]
        return Answers(predictions, alone, sizes, exited)

    def logits(self, inputs: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
        """Both halves' (N, classes) before fusion, as if everything were sent.

        Raises UsageError where one half gives none.
        """
        if self._payload is None or not self.graph.logits:
            raise UsageError("one of the bundle's halves has no logits", "take a bundle of agilenn or spinn")
        assert self.graph.feature is not None
        values = interpret(self.graph, self.graph.tensor(self.graph.input).quantise(inputs))
        symbols = self._symbols(values[self.graph.feature], self._payload)
        local = values[self.graph.logits].reshape(len(inputs), -1)
        return local, to_fixed(self._server(symbols))

    def _symbols(self, feature: NDArray[np.int8], payload: PayloadFormat) -> NDArray[np.uint8]:
        """(N, symbols) of a feature map, channel by channel as they are sent."""
        sent = feature[..., payload.channel_begin : payload.channel_begin + payload.channels]
        planar = sent.transpose(0, 3, 1, 2).reshape(len(feature), -1)
        chosen: NDArray[np.uint8] = self._symbol_of[planar.astype(np.int16) + 128]
        return chosen


class _Server:
    """The server half on symbols."""

    def __init__(self, network: nn.Module, payload: PayloadFormat) -> None:
        # Depthwise convolutions are half as fast again in this layout.
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._centroids = np.array(payload.centroids, np.float32)
        self._shape = (-1, payload.channels, payload.height, payload.width)

    def __call__(self, symbols: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, symbols) → logits (N, classes)."""
        values = torch.from_numpy(self._centroids[symbols].reshape(self._shape))
        values = values.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            logits: NDArray[np.float32] = self._network(values).numpy()
        return logits


class FloatSystem:
    """Both halves of one bundle as they were trained, the payload quantised to centroids."""

    def __init__(self, bundle: Bundle) -> None:
        self._manifest = bundle.manifest
        self._device = load_device(bundle)
        payload = bundle.manifest.payload
        self._payload = payload
        if payload is not None:
            self._server = _Server(load_server(bundle), payload)
            ascending = np.array(payload.centroids, np.float32)
            self._middles = (ascending[1:] + ascending[:-1]) / 2

    def predict(self, inputs: NDArray[np.float32]) -> Classes:
        """(N,) classes of a batch of network inputs (N, height, width, channels)."""
        with torch.inference_mode():
            given = self._device(torch.from_numpy(inputs).permute(0, 3, 1, 2))
        local, feature = given if isinstance(given, tuple) else (given, None)
        logits: NDArray[np.float32] | None = None if local is None else local.numpy()
        if self._payload is None or feature is None:
            assert logits is not None
            return np.asarray(logits.argmax(axis=1))
        begin = self._payload.channel_begin
        sent = feature[:, begin : begin + self._payload.channels].flatten(1).numpy()
        fused = self._server(np.searchsorted(self._middles, sent).astype(np.uint8))
        if logits is not None:
            alpha = self._manifest.alpha
            fused = alpha * logits + (1 - alpha) * fused
            fused[self._stands(logits)] = logits[self._stands(logits)]
        return np.asarray(fused.argmax(axis=1))

    def _stands(self, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(N,) where the top-1 softmax reaches the manifest's `exit_confidence`."""
        if self._manifest.exit_confidence is None:
            return np.zeros(len(logits), np.bool_)
        top = 1 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)
        return np.asarray(top >= self._manifest.exit_confidence)
