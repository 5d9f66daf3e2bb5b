"""C of the 3×3 depthwise convolution over the ring of three 16-bit rows.

A word holds two neighbours of one channel, so that of a kernel row (w0, w1, w2) the output at an even
pixel is SMLAD with (w0, w1) and one single product, and so is its neighbour's: 6 products for 9 taps.
Four pixels at a time share the loads of weights. The outputs of a pixel's channels go side by side, in
pairs for the SMLADs of what follows.

The ring's rows lie at offsets that depend on y mod 3 alone, so there is a copy of the code for each.
"""

from __future__ import annotations

import numpy as np

from hil.deploy.kernels import rounding
from hil.deploy.kernels.front import constants
from hil.deploy.kernels.front.match import Front
from hil.deploy.kernels.front.stem import row_halves
from hil.deploy.kernels.schedule import Block, schedule, statement

TOGETHER = 4
"""Pixels that share the loads of weights."""
REGISTERS = 11
"""Beside ring, output and constants."""
BIAS, MULTIPLIER, ZERO, WORDS = 6, 7, 8, 9
"""Of one channel, in words: its six kernel words come first."""


def middle_pairs(front: Front) -> int:
    """Words of one pixel's channels."""
    return (front.channels + 1) // 2


def middle_source(name: str, front: Front) -> str:
    """`<name>_middle_row_<y mod 3>(ring, middle)`."""
    table = constants.words(f"{name}_middle", _constants(front))
    return table + "\n" + "".join(_row(name, front, phase) for phase in range(3))


def _row(name: str, front: Front, phase: int) -> str:
    block, pixels = Block(), 8 if front.width % 8 == 0 else TOGETHER
    for first in range(0, pixels, TOGETHER):
        _write(block, front, [(phase + 2) % 3, phase, (phase + 1) % 3], first)
    lines = "\n".join(
        f"            {line}" for line in statement(schedule(block, REGISTERS), ("ring", "output", "k"))
    )
    step = 2 * middle_pairs(front) * pixels
    return f"""\
/* {front.depthwise.name}: a row, channel by channel, {pixels} pixels a pass; row y in ring row {phase}. */
static __attribute__((noinline)) void {name}_middle_row_{phase}(const int16_t *ring, int16_t *middle)
{{
    const uint32_t *k = {name}_middle;
    for (int32_t channel = 0; channel < {front.channels}; channel++, k += {WORDS}) {{
        int16_t *output = middle + channel;
        for (const int16_t *const end = ring + {front.width}; ring != end; ring += {pixels}) {{
{lines}
            output += {step};
        }}
        ring += {row_halves(front) - front.width};
    }}
}}

"""


def _write(block: Block, front: Front, rows: list[int], first: int) -> None:
    """Four pixels of one channel from number `first` on; `rows` of the ring are above, here and below."""
    sums = [block.load("k", 4 * BIAS)] * TOGETHER
    for kernel_row, row in enumerate(rows):
        left, right = (block.load("k", 4 * (2 * kernel_row + side)) for side in range(2))
        start = 2 * row * front.channels * row_halves(front) + 2 * first
        near = block.load("ring", start)
        for at in range(0, TOGETHER, 2):
            far = block.load("ring", start + 2 * (at + 2))
            sums[at] = block.mac("smlad", near, left, sums[at])
            sums[at + 1] = block.mac("smlatb", near, left, sums[at + 1])
            sums[at] = block.mac("smlabt", far, right, sums[at])
            sums[at + 1] = block.mac("smlad", far, right, sums[at + 1])
            near = far
    multiplier, zero = block.load("k", 4 * MULTIPLIER), block.load("k", 4 * ZERO)
    for at, total in enumerate(sums):
        value = block.saturate(block.mac("smmlar", total, multiplier, zero))
        block.store("strh", value, "output", 4 * (first + at) * middle_pairs(front))


def _constants(front: Front) -> np.ndarray:
    """(channels, WORDS): a kernel row (w0, w1, w2) as the words (w0, w1) and (w1, w2)."""
    kernels = front.depthwise.weights.values.transpose(2, 0, 1)
    overlapping = np.stack((kernels[:, :, :2], kernels[:, :, 1:]), axis=2)
    table = np.zeros((front.channels, WORDS), np.uint32)
    table[:, :BIAS] = constants.pairs(overlapping.reshape(-1, 2)).reshape(front.channels, BIAS)
    table[:, BIAS] = constants.folded_bias(front.stem, front.depthwise).astype(np.uint32)
    table[:, MULTIPLIER] = rounding.doubled(front.depthwise.weights).astype(np.uint32)
    table[:, ZERO] = np.int64(front.middle.zero_point).astype(np.uint32)
    return table
