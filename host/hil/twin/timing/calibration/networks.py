"""Networks of the calibration set, with synthetic weights: only shapes matter to time."""

from __future__ import annotations

import numpy as np

from hil.deploy.graph import Convolution, Dense, DepthwiseConvolution, Graph, MaxPool, Op, Tensor, Weights
from hil.deploy.requantise import quantise_multiplier

Shape = tuple[int, int, int]


class _Builder:
    """Adds layer after layer; values come from a fixed seed."""

    def __init__(self, shape: Shape) -> None:
        self._rng = np.random.default_rng(7)
        self._tensors = [Tensor("in", shape, 0.02, 3)]
        self._ops: list[Op] = []

    def _next(self, name: str, shape: Shape) -> tuple[str, str]:
        source = self._tensors[-1].name
        self._tensors.append(Tensor(name, shape, 0.02, -5))
        return source, name

    def _weights(self, shape: tuple[int, ...], channels: int) -> Weights:
        multiplier, shift = quantise_multiplier(0.9 / (64 * np.sqrt(np.prod(shape[1:]))))
        return Weights(
            values=self._rng.integers(-127, 128, shape, dtype=np.int8),
            bias=self._rng.integers(-2000, 2000, channels, dtype=np.int32),
            multiplier=np.full(channels, multiplier, dtype=np.int32),
            shift=np.full(channels, shift, dtype=np.int32),
        )

    def convolution(self, name: str, out: int, kernel: int, padding: int) -> None:
        height, width, channels = self._tensors[-1].shape
        source, output = self._next(name, (height, width, out))
        window = {"kernel": (kernel, kernel), "stride": (1, 1), "padding": (padding, padding)}
        weights = self._weights((out, kernel, kernel, channels), out)
        self._ops.append(
            Convolution(
                name=name, inputs=(source,), output=output, weights=weights, activation=(-5, 127), **window
            )
        )

    def depthwise(self, name: str, stride: int, padding: int) -> None:
        height, width, channels = self._tensors[-1].shape
        side = (height + 2 * padding - 3) // stride + 1, (width + 2 * padding - 3) // stride + 1
        source, output = self._next(name, (*side, channels))
        weights = self._weights((3, 3, channels), channels)
        self._ops.append(
            DepthwiseConvolution(
                name=name, inputs=(source,), output=output, weights=weights, kernel=(3, 3),
                stride=(stride, stride), padding=(padding, padding),
            )
        )  # fmt: skip

    def pool(self, name: str) -> None:
        """3×3 at stride 2, as in the Caffe model of the CMSIS-NN paper."""
        height, width, channels = self._tensors[-1].shape
        source, output = self._next(name, (height // 2, width // 2, channels))
        window = {"kernel": (3, 3), "stride": (2, 2), "padding": (0, 0)}
        self._ops.append(MaxPool(name=name, inputs=(source,), output=output, **window))

    def dense(self, name: str, out: int) -> None:
        source, output = self._next(name, (1, 1, out))
        weights = self._weights((out, self._tensors[-2].elements), out)
        one = Weights(
            values=weights.values, bias=weights.bias, multiplier=weights.multiplier, shift=weights.shift
        )
        self._ops.append(Dense(name=name, inputs=(source,), output=output, weights=one))

    def graph(self) -> Graph:
        tensors = {tensor.name: tensor for tensor in self._tensors}
        return Graph(tensors, tuple(self._ops), "in", self._tensors[-1].name, None)


def cifar10_cnn() -> Graph:
    """The CIFAR-10 network of Lai, Suda and Chandra (CMSIS-NN, 2018): 12,298,240 MACs."""
    net = _Builder((32, 32, 3))
    net.convolution("conv1", 32, 5, 2)
    net.pool("pool1")
    net.convolution("conv2", 32, 5, 2)
    net.pool("pool2")
    net.convolution("conv3", 64, 5, 2)
    net.pool("pool3")
    net.dense("fc", 10)
    return net.graph()


def agilenn_extractor() -> Graph:
    """AgileNN's feature extractor at 96 × 96: 175,104 MACs."""
    net = _Builder((96, 96, 3))
    net.depthwise("depthwise1", stride=3, padding=0)
    net.convolution("pointwise1", 4, 1, 0)
    net.depthwise("depthwise2", stride=1, padding=1)
    net.convolution("pointwise2", 24, 1, 0)
    return net.graph()
