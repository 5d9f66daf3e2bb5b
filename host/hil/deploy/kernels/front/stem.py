"""C of the stem: one row of depthwise and pointwise convolution, from int8 pixels to 16-bit rows.

The depthwise taps of one channel lie as many bytes apart as there are channels, so SMLAD cannot take two
at once: each is one SMLABB to SMLATT, a MAC a cycle, beside which the loads go. Pixels that are computed
together share the loads of weights. Between the two convolutions nothing is stored. Costs 27 + 3 + 8 + 4
products a pixel at 3 channels in and 4 out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.deploy.kernels import rounding
from hil.deploy.kernels.front import constants
from hil.deploy.kernels.front.match import Front
from hil.deploy.kernels.schedule import Block, Scheduled, Unit, schedule, statement

REGISTERS = 11
"""Beside input, row and constants."""


def stem_source(name: str, front: Front) -> str:
    """`<name>_stem_row(input, row)`: `row` is the ring's row, channel by channel."""
    advance = front.stem_depthwise.stride[1] * front.source.shape[2]
    group = 4 if advance % 4 else 2
    lines = "\n".join(f"        {line}" for line in statement(_body(front, group), ("input", "row", "k")))
    return f"""\
{constants.words(f"{name}_stem", _constants(front))}
/* {front.stem_depthwise.name} and {front.stem_pointwise.name}: a row, {group} pixels a pass. */
static __attribute__((noinline)) void {name}_stem_row(const int8_t *input, int16_t *row)
{{
    const uint32_t *const k = {name}_stem;
    for (const int16_t *const end = row + {front.width}; row != end; row += {group}) {{
{lines}
        input += {group * advance};
    }}
}}

"""


def _body(front: Front, group: int) -> Scheduled:
    """`group` pixels: two that share the loads of weights, or one where their sums are too many."""
    for together in (2, 1):
        block = Block()
        for first in range(0, group, together):
            _Pixels(block, front, first, together).write()
        try:
            return schedule(block, REGISTERS)
        except ValueError:
            continue
    raise AssertionError("a pixel of four channels needs nine registers")


def row_halves(front: Front) -> int:
    """Halves of one channel's row: its pixels and the padding left and right."""
    return front.width + 2


class _Table:
    """Where the constants of a stem are, in words."""

    def __init__(self, front: Front) -> None:
        inputs, outputs, taps = (
            front.source.shape[2],
            front.channels,
            front.stem_depthwise.weights.values.size,
        )
        self.taps = 0
        self.tap_bias = (taps + 1) // 2
        self.tap_multiplier = self.tap_bias + inputs
        self.tap_zero = self.tap_multiplier + inputs
        self.points = self.tap_zero + 1
        self.point_bias = self.points + outputs * ((inputs + 1) // 2)
        self.point_multiplier = self.point_bias + outputs
        self.point_zero = self.point_multiplier + outputs


def _constants(front: Front) -> NDArray[np.uint32]:
    a, b = front.stem_depthwise, front.stem_pointwise
    signed = (
        constants.folded_bias(front.source, a),
        rounding.doubled(a.weights),
        np.array([front.first.zero_point]),
        constants.pairs(b.weights.values.reshape(len(b.weights.values), -1)).astype(np.int64).ravel(),
        constants.folded_bias(front.first, b),
        rounding.doubled(b.weights),
        np.array([front.stem.zero_point]),
    )
    taps = constants.pairs(a.weights.values.reshape(1, -1)).ravel()
    return np.concatenate([taps, *(part.astype(np.uint32) for part in signed)])


class _Pixels:
    """`together` pixels from number `first` of a pass."""

    def __init__(self, block: Block, front: Front, first: int, together: int) -> None:
        self.block, self.front, self.first, self.together = block, front, first, together
        self.inputs, self.table = front.source.shape[2], _Table(front)

    def write(self) -> None:
        """Appends their instructions."""
        sums = self._depthwise()
        zero = self._constant(self.table.tap_zero)
        values: list[list[str]] = [[] for _ in range(self.together)]
        for channel in range(self.inputs):
            multiplier = self._constant(self.table.tap_multiplier + channel)
            for at in range(self.together):
                values[at].append(self._requantised(sums[at][channel], multiplier, zero))
        pairs = [self._paired(value) for value in values]
        zero = self._constant(self.table.point_zero)
        for channel in range(self.front.channels):
            self._point(pairs, channel, zero)

    def _constant(self, index: int) -> str:
        return self.block.load("k", 4 * index)

    def _requantised(self, total: str, multiplier: str, zero: str) -> str:
        return self.block.saturate(self.block.mac("smmlar", total, multiplier, zero))

    def _depthwise(self) -> list[list[str]]:
        """Accumulators by pixel and channel."""
        kernel_h, kernel_w = self.front.stem_depthwise.kernel
        row_taps = kernel_w * self.inputs
        biases = [self._constant(self.table.tap_bias + channel) for channel in range(self.inputs)]
        sums = [list(biases) for _ in range(self.together)]
        weight, data = "", [_Bytes(self, at) for at in range(self.together)]
        for tap in range(kernel_h * row_taps):
            if tap % 2 == 0:
                weight = self._constant(self.table.taps + tap // 2)
            channel = tap % self.inputs
            for at in range(self.together):
                value, half = data[at].at(*divmod(tap, row_taps))
                name = f"smla{half}{'bt'[tap % 2]}"
                sums[at][channel] = self.block.mac(name, value, weight, sums[at][channel])
        return sums

    def _paired(self, values: list[str]) -> list[str]:
        """Two channels a word; a last odd one is left as it is, its neighbour's weight is 0."""
        pairs = []
        for low in range(0, len(values), 2):
            both = values[low : low + 2]
            text = "pkhbt {d}, {0}, {1}, lsl #16"
            pairs.append(self.block.put(Unit.BIT, text, *both) if len(both) == 2 else both[0])
        return pairs

    def _point(self, pairs: list[list[str]], channel: int, zero: str) -> None:
        count = len(pairs[0])
        bias = self._constant(self.table.point_bias + channel)
        weights = [self._constant(self.table.points + channel * count + pair) for pair in range(count)]
        multiplier = self._constant(self.table.point_multiplier + channel)
        for at in range(self.together):
            total = bias
            for pair, weight in zip(pairs[at], weights, strict=True):
                total = self.block.mac("smlad", pair, weight, total)
            offset = 2 * (channel * row_halves(self.front) + self.first + at)
            self.block.store("strh", self._requantised(total, multiplier, zero), "row", offset)


class _Bytes:
    """The input bytes of one pixel's window, each loaded when it is first asked for.

    A word that the window wants whole becomes two words of halves; other bytes are loaded one by one, so
    that nothing beyond the window is read.
    """

    def __init__(self, pixels: _Pixels, at: int) -> None:
        front = pixels.front
        self.block, channels = pixels.block, pixels.inputs
        self.row_bytes = front.source.shape[1] * channels
        self.begin = (pixels.first + at) * front.stem_depthwise.stride[1] * channels
        self.end = self.begin + front.stem_depthwise.kernel[1] * channels
        self.words: dict[tuple[int, int], tuple[str, str]] = {}

    def at(self, row: int, byte: int) -> tuple[str, str]:
        """The word with a byte of kernel row `row`, and the half of it, b or t."""
        place = self.begin + byte
        start = place - place % 4
        if start < self.begin or start + 4 > self.end:
            return self.block.load_byte("input", row * self.row_bytes + place), "b"
        if (row, start) not in self.words:
            word = self.block.load("input", row * self.row_bytes + start)
            even = self.block.put(Unit.BIT, "sxtb16 {d}, {0}", word)
            odd = self.block.put(Unit.BIT, "sxtb16 {d}, {0}, ror #8", word)
            self.words[row, start] = even, odd
        return self.words[row, start][place % 2], "bt"[place % 4 // 2]
