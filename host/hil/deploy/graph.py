"""The int8 graph: what the device half is, free of any framework.

Arithmetic is that of TensorFlow Lite's int8 specification, which CMSIS-NN implements: activations
per tensor, weights per output channel and symmetric, int32 biases, requantisation by a 31-bit
multiplier and a shift. Activations are laid out HWC, one sample at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tensor:
    """An activation: `real = scale · (value − zero_point)`, values int8."""

    name: str
    shape: tuple[int, int, int]
    """(height, width, channels); a vector is (1, 1, n)."""
    scale: float
    zero_point: int

    @property
    def elements(self) -> int:
        height, width, channels = self.shape
        return height * width * channels

    def quantise(self, real: NDArray[np.float32]) -> NDArray[np.int8]:
        """Nearest int8 (ties away from zero), saturated."""
        scaled = real.astype(np.float64) / self.scale
        rounded = np.sign(scaled) * np.floor(np.abs(scaled) + 0.5) + self.zero_point
        values: NDArray[np.int8] = np.clip(rounded, -128, 127).astype(np.int8)
        return values


@dataclass(frozen=True, kw_only=True)
class Op:
    """One step of the graph; `inputs` and `output` name tensors."""

    name: str
    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True, kw_only=True)
class Window(Op):
    """An op that slides a window: kernel, stride and zero padding as (rows, columns)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    """Rows above and columns left; the output's size says how many follow below and right."""
    activation: tuple[int, int] = (-128, 127)
    """Clamp of the int8 output, with which ReLU and ReLU6 are fused."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Per-output-channel weights and their requantisation."""

    values: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.int32]
    shift: NDArray[np.int32]
    """Positive shifts left, as CMSIS-NN has it."""


@dataclass(frozen=True, kw_only=True)
class Convolution(Window):
    """weights.values: (out, kernel_h, kernel_w, in). A 1×1 kernel is a pointwise convolution."""

    weights: Weights


@dataclass(frozen=True, kw_only=True)
class DepthwiseConvolution(Window):
    """weights.values: (kernel_h, kernel_w, in · multiplier), output channel = in · multiplier + m."""

    weights: Weights
    channel_multiplier: int = 1


@dataclass(frozen=True, kw_only=True)
class Dense(Op):
    """weights.values: (out, in); one multiplier and shift for the tensor, as CMSIS-NN takes it."""

    weights: Weights
    activation: tuple[int, int] = (-128, 127)


@dataclass(frozen=True, kw_only=True)
class AveragePool(Window):
    """Mean over the window's valid pixels, ties away from zero; same scale in and out."""


@dataclass(frozen=True, kw_only=True)
class MaxPool(Window):
    """Maximum over the window's valid pixels; same scale in and out."""


@dataclass(frozen=True, kw_only=True)
class Add(Op):
    """Sum of two tensors of one shape but different scales (arm_elementwise_add_s8)."""

    left_shift: int
    multipliers: tuple[int, int]
    shifts: tuple[int, int]
    output_multiplier: int
    output_shift: int
    activation: tuple[int, int] = (-128, 127)


@dataclass(frozen=True, kw_only=True)
class Pad(Op):
    """Rows and columns of the zero point around the map: (top, bottom, left, right)."""

    amounts: tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Clamp(Op):
    """A clamp that could not be fused into its producer."""

    activation: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Slice(Op):
    """Channels [begin, end) of a map."""

    begin: int
    end: int


@dataclass(frozen=True)
class Graph:
    """Ops in execution order. `logits` and `feature` name outputs; either may be absent."""

    tensors: dict[str, Tensor]
    ops: tuple[Op, ...]
    input: str
    logits: str | None
    feature: str | None

    def tensor(self, name: str) -> Tensor:
        return self.tensors[name]
