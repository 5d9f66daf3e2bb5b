"""The step: a loop over rows that ties stem, middle and sinks together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hil.deploy.graph import Op
from hil.deploy.kernels.front import constants
from hil.deploy.kernels.front.match import Front, match
from hil.deploy.kernels.front.middle import middle_pairs, middle_source
from hil.deploy.kernels.front.sink import pool_source, symbols_source
from hil.deploy.kernels.front.stem import row_halves, stem_source
from hil.deploy.kernels.text import array
from hil.deploy.program import SYMBOLS, Code, DeviceHalf, Sends, Site

RING_ROWS = 4
"""Three that a kernel touches, and one of padding for above the first and below the last."""


@dataclass(frozen=True)
class SymbolFront:
    """Symbols go to memory, channel by channel."""

    name = "hil_front_symbols"
    sends = Sends.SYMBOLS

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        front = match(half, first)
        return front.count if front else 0

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`. The ring of rows, and one row of the middle map."""
        front = _front(half, ops)
        return _ring_bytes(front) + 4 * middle_pairs(front) * front.width

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        front, name = _front(site.half, site.ops), site.name
        assert site.half.coder and site.half.symbol_of is not None
        form = site.half.coder.form
        before = [_constants(site, front), stem_source(name, front), middle_source(name, front)]
        if form.channels:
            before.append(symbols_source(name, front, int(site.half.symbol_of[0])))
        if front.pool:
            before.append(pool_source(name, front))
        sink = (
            f"for (uint32_t c = 0; c < {form.channels}; c++) {{",
            f"    {name}_symbol_row(middle, {form.channel_begin} + c,",
            f"        symbols + ({front.height} * c + y) * {front.width});",
            "}",
        )
        body = [f"uint8_t *const symbols = {site.at(SYMBOLS)};", *_loop(site, front, sink)]
        return Code(tuple(body), "".join(before))


KERNELS = (SymbolFront(),)


def _front(half: DeviceHalf, ops: tuple[Op, ...]) -> Front:
    front = match(half, half.graph.ops.index(ops[0]))
    assert front is not None
    return front


def _ring_bytes(front: Front) -> int:
    size = 2 * RING_ROWS * front.channels * row_halves(front)
    return size + -size % 4


def _constants(site: Site, front: Front) -> str:
    name, symbol_of, last = site.name, site.half.symbol_of, front.pointwise
    assert symbol_of is not None
    least = constants.thresholds(front.middle, front.feature, last, symbol_of)
    weights = last.weights.values.reshape(len(last.weights.values), -1)
    parts = [
        constants.stem_constants(name, front.source, front.first, front.stem_depthwise, front.stem_pointwise),
        constants.middle_constants(name, front.stem, front.depthwise),
        constants.words(f"{name}_weights", constants.pairs(weights)),
        array("int32_t", f"{name}_bias", constants.folded_bias(front.middle, last) - least),
        array("int32_t", f"{name}_multiplier", constants.doubled(last)),
        array("int32_t", f"{name}_threshold", least),
        array("uint8_t", f"{name}_symbol_of", np.asarray(symbol_of)),
        "\n",
    ]
    return "".join(parts)


def _loop(site: Site, front: Front, sink: tuple[str, ...]) -> list[str]:
    """The rows of the stem run one ahead of those of the feature map."""
    name, row = site.name, front.channels * row_halves(front)
    begin, end = front.local
    advance = front.stem_depthwise.stride[0] * front.source.shape[1] * front.source.shape[2]
    lines = [
        f"int16_t *const ring = {site.scratch}, *const padding = ring + {3 * row};",
        f"int16_t *const middle = ring + {_ring_bytes(front) // 2};",
        f"const int8_t *input = {site.at(front.stem_depthwise.inputs[0])};",
    ]
    if front.pool:
        lines.append(f"int32_t sums[{end - begin}] = {{0}};")
    lines += [
        f"for (int32_t i = 0; i < {RING_ROWS * row}; i++) {{",
        f"    ring[i] = {front.stem.zero_point};",
        "}",
        f"{name}_stem_row(input, ring + 1);",
        f"for (int32_t y = 0; y < {front.height}; y++) {{",
        "    /* Row y lies in ring row y % 3. */",
        f"    int16_t *const below = ring + (y + 1) % 3 * {row};",
        f"    if (y + 1 < {front.height}) {{",
        f"        input += {advance};",
        f"        {name}_stem_row(input, below + 1);",
        "    }",
        f"    {name}_middle_row(y == 0 ? padding : ring + (y + 2) % 3 * {row}, ring + y % 3 * {row},",
        f"        y + 1 < {front.height} ? below : padding, middle);",
    ]
    if front.pool:
        lines += [
            f"    for (uint32_t c = 0; c < {end - begin}; c++) {{",
            f"        sums[c] += {name}_sum_row(middle, {begin} + c);",
            "    }",
        ]
    lines += [f"    {line}" for line in sink] + ["}"]
    if front.pool:
        count = front.height * front.width
        lines += [
            f"int8_t *const mean = {site.at(front.pool.output)};",
            f"for (uint32_t c = 0; c < {end - begin}; c++) {{",
            "    /* Nearest, ties away from zero. */",
            f"    mean[c] = (int8_t)((sums[c] + (sums[c] < 0 ? -{count // 2} : {count // 2})) / {count});",
            "}",
        ]
    return [*lines, "return ARM_CMSIS_NN_SUCCESS;"]
