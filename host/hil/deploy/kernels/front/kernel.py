"""The step: a loop over rows that ties stem, middle and sinks together."""

from __future__ import annotations

from dataclasses import dataclass

from hil.deploy.graph import Op
from hil.deploy.kernels.front.match import Front, match
from hil.deploy.kernels.front.middle import middle_pairs, middle_source
from hil.deploy.kernels.front.sink import last_constants, sums_source, symbols_source
from hil.deploy.kernels.front.stem import row_halves, stem_source
from hil.deploy.kernels.text import array
from hil.deploy.program import SYMBOLS, Code, DeviceHalf, Sends, Site

RING_ROWS = 3
"""What a 3×3 kernel touches."""


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
        lowest = int(site.half.symbol_of[0])
        channels = (form.channel_begin, form.channel_begin + form.channels)
        before = [
            _constants(site, front),
            stem_source(name, front),
            middle_source(name, front),
            symbols_source(name, front, channels, front.height * front.width, lowest),
        ]
        if front.pool:
            before.append(sums_source(name, front))
        body = [
            f"uint8_t idle[{form.channels}] = {{0}};",
            *_loop(
                site,
                front,
                (f"{name}_symbols(middle, idle, (uint8_t *){site.at(SYMBOLS)} + {front.width} * y);",),
            ),
        ]
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
    symbol_of = site.half.symbol_of
    assert symbol_of is not None
    last = last_constants(site.name, front, symbol_of)
    return last + array("uint8_t", f"{site.name}_symbol_of", symbol_of) + "\n"


def _loop(site: Site, front: Front, sink: tuple[str, ...]) -> list[str]:
    """The rows of the stem run one ahead of those of the feature map."""
    name, row = site.name, front.channels * row_halves(front)
    begin, end = front.local
    advance = front.stem_depthwise.stride[0] * front.source.shape[1] * front.source.shape[2]
    lines = [
        f"int16_t *const ring = {site.scratch}, *const middle = ring + {_ring_bytes(front) // 2};",
        f"const int8_t *input = {site.at(front.stem_depthwise.inputs[0])};",
    ]
    if front.pool:
        lines.append(f"int32_t sums[{end - begin}] = {{0}};")
    lines += [
        "/* Row y lies in ring row y % 3; rows above and below the map are padding. */",
        f"hil_fill_s16(ring, {RING_ROWS * row}, {front.stem.zero_point});",
        f"{name}_stem_row(input, ring + 1);",
        f"for (int32_t y = 0; y < {front.height}; y++) {{",
        f"    int16_t *const below = ring + (y + 1) % 3 * {row};",
        f"    if (y + 1 < {front.height}) {{",
        f"        input += {advance};",
        f"        {name}_stem_row(input, below + 1);",
        "    } else {",
        f"        hil_fill_s16(below, {row}, {front.stem.zero_point});",
        "    }",
        "    if (y % 3 == 0) {",
        f"        {name}_middle_row_0(ring, middle);",
        "    } else if (y % 3 == 1) {",
        f"        {name}_middle_row_1(ring, middle);",
        "    } else {",
        f"        {name}_middle_row_2(ring, middle);",
        "    }",
    ]
    if front.pool:
        lines.append(f"    {name}_sum(middle, sums);")
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
