"""The networks that kernels are measured on: shapes as published, seeded random weights.

Only shapes matter to time. Ratios are such that outputs neither saturate nor vanish, so that a wrong
kernel is seen. Multipliers have shift 0, as the quantiser chooses them where it can.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.deploy.graph import (
    Add,
    AveragePool,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Graph,
    Op,
    Tensor,
    Weights,
)
from hil.deploy.quantise import ADD_LEFT_SHIFT
from hil.deploy.requantise import quantise_multiplier, single_rounding

Shape = tuple[int, int, int]

_RECTIFIED, _LINEAR = -128, 3
"""Zero points behind a ReLU, and elsewhere."""
_SCALES = {True: 0.021, False: 0.03}
"""The same of scales; sums see different ones."""
_SPREAD = 40.0
"""Standard deviation of outputs that is aimed at, in steps of int8."""
_REACH = 34.0
"""Root mean square of inputs less their zero point that keeps it so from layer to layer, by trial."""


class Builder:
    """Adds op after op to a graph; every method returns the name of the tensor it makes."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._tensors = {"in": Tensor("in", shape, _SCALES[False], _LINEAR)}
        self._ops: list[Op] = []

    def graph(self, logits: str) -> Graph:
        """What has been added."""
        return Graph(self._tensors, tuple(self._ops), "in", logits, None)

    def channels(self, name: str) -> int:
        """Of the tensor `name`."""
        return self._tensors[name].shape[2]

    def convolution(
        self, name: str, source: str, out: int, kernel: int, stride: int = 1, *, relu: bool = True
    ) -> str:
        """A square kernel; a 1 × 1 one is a pointwise convolution."""
        shape = (out, kernel, kernel, self.channels(source))
        weights = self._weights(source, shape, kernel * kernel * shape[3], per_channel=True)
        window = self._window(name, source, out, kernel, stride, relu=relu)
        self._ops.append(Convolution(**window, weights=weights))
        return name

    def depthwise(self, name: str, source: str, stride: int = 1) -> str:
        """3 × 3 and a ReLU."""
        channels = self.channels(source)
        weights = self._weights(source, (3, 3, channels), 9, per_channel=True)
        window = self._window(name, source, channels, 3, stride, relu=True)
        self._ops.append(DepthwiseConvolution(**window, weights=weights))
        return name

    def average(self, name: str, source: str) -> str:
        """Over the whole map."""
        height, width, channels = self._tensors[source].shape
        before = self._tensors[source]
        self._tensors[name] = Tensor(name, (1, 1, channels), before.scale, before.zero_point)
        common: dict[str, Any] = {"kernel": (height, width), "stride": (height, width), "padding": (0, 0)}
        self._ops.append(AveragePool(name=name, inputs=(source,), output=name, **common))
        return name

    def dense(self, name: str, source: str, out: int) -> str:
        """Without a ReLU."""
        taps = self._tensors[source].elements
        weights = self._weights(source, (out, taps), taps, per_channel=False)
        self._tensors[name] = Tensor(name, (1, 1, out), _SCALES[False], _LINEAR)
        self._ops.append(Dense(name=name, inputs=(source,), output=name, weights=weights))
        return name

    def add(self, name: str, first: str, second: str, *, relu: bool) -> str:
        """The sum of two maps, on twice the larger of their scales."""
        zero_point = _RECTIFIED if relu else _LINEAR
        sources = [self._tensors[source] for source in (first, second)]
        output = Tensor(name, sources[0].shape, _SCALES[relu] * 1.4, zero_point)
        common = 2.0 * max(source.scale for source in sources)
        fixed = [single_rounding(source.scale / common) for source in sources]
        multiplier, shift = quantise_multiplier(common / ((1 << ADD_LEFT_SHIFT) * output.scale))
        self._tensors[name] = output
        self._ops.append(
            Add(
                name=name, inputs=(first, second), output=name, left_shift=ADD_LEFT_SHIFT,
                multipliers=(fixed[0][0], fixed[1][0]), shifts=(fixed[0][1], fixed[1][1]),
                output_multiplier=multiplier, output_shift=shift,
            )
        )  # fmt: skip
        return name

    def _window(
        self, name: str, source: str, out: int, kernel: int, stride: int, *, relu: bool
    ) -> dict[str, Any]:
        """The arguments of a window that pads as TensorFlow's `same` does, and its output tensor."""
        height, width, _ = self._tensors[source].shape
        size = -(-height // stride), -(-width // stride)
        padding = tuple(
            max(0, (reach - 1) * stride + kernel - extent) // 2
            for reach, extent in zip(size, (height, width), strict=True)
        )
        zero_point = _RECTIFIED if relu else _LINEAR
        self._tensors[name] = Tensor(name, (*size, out), _SCALES[relu], zero_point)
        places = {"kernel": (kernel, kernel), "stride": (stride, stride), "padding": padding}
        return {"name": name, "inputs": (source,), "output": name, **places}

    def _weights(self, source: str, shape: tuple[int, ...], taps: int, *, per_channel: bool) -> Weights:
        """Per-channel ratios, or one for all, for `taps` products a sum."""
        channels = shape[-1] if len(shape) == 3 else shape[0]
        values = self._rng.integers(-127, 128, shape, dtype=np.int8)
        ratio = _SPREAD / (73.0 * np.sqrt(taps) * _REACH)
        ratios = ratio * self._rng.uniform(0.7, 1.3, channels) if per_channel else np.full(channels, ratio)
        bias = self._rng.normal(0.0, 0.3 * _SPREAD / ratio, channels)
        return Weights(
            values=values,
            bias=np.rint(bias).astype(np.int32),
            multiplier=np.rint(ratios * (1 << 31)).astype(np.int32),
            shift=np.zeros(channels, dtype=np.int32),
        )


def resnet8(classes: int = 10, seed: int = 8) -> Graph:
    """MLPerf Tiny's image classification network (Banbury et al., 2021): 32 × 32 × 3, 12.5 M MACs."""
    net = Builder((32, 32, 3), seed)
    last = net.convolution("stem", "in", 16, 3)
    for stack, (out, stride) in enumerate(((16, 1), (32, 2), (64, 2)), start=1):
        inner = net.convolution(f"stack{stack}_conv1", last, out, 3, stride)
        inner = net.convolution(f"stack{stack}_conv2", inner, out, 3, relu=False)
        if stride > 1:
            last = net.convolution(f"stack{stack}_shortcut", last, out, 1, stride, relu=False)
        last = net.add(f"stack{stack}_add", last, inner, relu=True)
    return net.graph(net.dense("dense", net.average("pool", last), classes))


_STAGES = (
    (1, 8, 1, 1),
    (6, 8, 2, 2),
    (6, 16, 3, 2),
    (6, 24, 4, 2),
    (6, 32, 3, 1),
    (6, 56, 3, 2),
    (6, 112, 1, 1),
)
"""(expansion, channels, blocks, stride of the first) of MobileNetV2 at width 0.35."""


def mobilenet_v2_035(size: int = 96, classes: int = 10, seed: int = 35) -> Graph:
    """MobileNetV2 at width 0.35 (Sandler et al., 2018) on `size` × `size` × 3."""
    net = Builder((size, size, 3), seed)
    last = net.convolution("stem", "in", 16, 3, 2)
    for stage, (expansion, out, blocks, stride) in enumerate(_STAGES, start=1):
        for block in range(1, blocks + 1):
            name = f"stage{stage}_block{block}"
            last = _block(net, name, last, expansion, out, stride if block == 1 else 1)
    last = net.convolution("head", last, 1280, 1)
    return net.graph(net.dense("dense", net.average("pool", last), classes))


def _block(net: Builder, name: str, source: str, expansion: int, out: int, stride: int) -> str:
    """An inverted residual."""
    channels = net.channels(source)
    inner = source
    if expansion > 1:
        inner = net.convolution(f"{name}_expand", source, expansion * channels, 1)
    inner = net.depthwise(f"{name}_depthwise", inner, stride)
    made = net.convolution(f"{name}_project", inner, out, 1, relu=False)
    if stride == 1 and channels == out:
        return net.add(f"{name}_add", source, made, relu=False)
    return made
