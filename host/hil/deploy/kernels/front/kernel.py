"""The step: a loop over rows that ties stem, middle and sinks together."""

from __future__ import annotations

from dataclasses import dataclass

from hil.bundle import PayloadFormat
from hil.codec.order import order_of
from hil.codec.prefix import bytes_of_rows
from hil.deploy.graph import Op
from hil.deploy.kernels.front.match import Front, match
from hil.deploy.kernels.front.middle import middle_pairs, middle_source
from hil.deploy.kernels.front.sink import last_constants, sums_source, symbols_source
from hil.deploy.kernels.front.stem import row_halves, stem_source
from hil.deploy.kernels.text import array
from hil.deploy.program import CODEC_SCRATCH, PAYLOAD, SYMBOLS, Code, DeviceHalf, Sends, Site
from hil.wire.protocol import Codec, Order

RING_ROWS = 3
"""What a 3×3 kernel touches."""


@dataclass(frozen=True)
class SymbolFront:
    """Symbols go to memory, plane by plane."""

    name = "hil_front_symbols"
    sends = Sends.SYMBOLS

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        return _covers(half, first, Order.PLANES)

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`. The ring of rows, and one row of the middle map."""
        return _rows_bytes(_front(half, ops))

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        front, channels = _front(site.half, site.ops), _form(site).channels
        sink = (f"{site.name}_symbols(middle, idle, symbols + {front.width} * y);",)
        body = (
            f"uint8_t idle[{channels}] = {{0}}, *const symbols = {site.at(SYMBOLS)};",
            *_loop(site, front, sink),
            *_mean(site, front),
        )
        return Code(body, _functions(site, front, stride=front.height * front.width))


@dataclass(frozen=True)
class PayloadFront:
    """Symbols go to the encoder, row by row: neither map nor symbols ever exist as a whole."""

    name = "hil_front_payload"
    sends = Sends.PAYLOAD

    def covers(self, half: DeviceHalf, first: int) -> int:
        """See `Kernel`."""
        return _covers(half, first, Order.ROWS)

    def scratch_bytes(self, half: DeviceHalf, ops: tuple[Op, ...]) -> int:
        """See `Kernel`. As `SymbolFront`, and one row of symbols where the input does not lend its room."""
        front = _front(half, ops)
        return _rows_bytes(front) + (0 if _in_input(half, front) else _symbol_bytes(half, front))

    def leads(self, half: DeviceHalf, ops: tuple[Op, ...]) -> dict[tuple[str, str], int]:
        """See `Overlapping`: the payload grows behind the rows of the input that have been read."""
        front, coder = _front(half, ops), half.coder
        assert coder
        symbols = _symbol_bytes(half, front) if _in_input(half, front) else 0
        ahead = (bytes_of_rows(coder, y + 1) + symbols - _read_bytes(front, y) for y in range(front.height))
        return {(PAYLOAD, front.stem_depthwise.inputs[0]): max([0, *ahead])}

    def emit(self, site: Site) -> Code:
        """See `Kernel`."""
        front, form = _front(site.half, site.ops), _form(site)
        assert site.half.coder
        coder, width = f"hil_{site.half.coder.wire.name.lower()}", front.width
        scratch = site.places.get(CODEC_SCRATCH, "NULL")
        symbols = f"(uint8_t *){site.scratch} + {_rows_bytes(front)}"
        if _in_input(site.half, front):
            symbols = f"(uint8_t *)input + {_behind(front) - _symbol_bytes(site.half, front)}"
        sink = (
            "/* In what the stem has read of the input, or scratch. */",
            f"uint8_t *const symbols = {symbols};",
            f"{site.name}_symbols(middle, idle, symbols);",
            *_put_row(site, coder, width),
            "if (hil_model_progress != NULL) {",
            "    hil_model_progress(hil_coder_settled(&coder));",
            "}",
        )
        body = (
            "hil_coder_t coder;",
            f"uint8_t idle[{form.channels}] = {{0}};",
            f"{coder}_begin(&coder, &hil_model.payload, {scratch}, {site.at(PAYLOAD)},",
            f"    {site.half.coder.capacity});",
            *_loop(site, front, sink),
            f"payload_bytes = {coder}_finish(&coder);",
            *_mean(site, front),
        )
        return Code(body, _functions(site, front, stride=width))


KERNELS = (PayloadFront(), SymbolFront())


def _covers(half: DeviceHalf, first: int, order: Order) -> int:
    """Matched ops; a payload in another order, or one whose encoder needs it whole, is none of ours."""
    front = match(half, first)
    if front is None or half.coder is None or order_of(half.coder.form) is not order:
        return 0
    return 0 if order is Order.ROWS and half.coder.wire is Codec.LZ4 else front.count


def _symbol_bytes(half: DeviceHalf, front: Front) -> int:
    """One row of all channels."""
    assert half.coder
    return half.coder.form.channels * front.width


def _read_bytes(front: Front, row: int) -> int:
    """Of the input, from its beginning, when feature row `row` is encoded: the stem is a row ahead."""
    return (min(row + 2, front.height) - 1) * _advance(front) + _behind(front)


def _behind(front: Front) -> int:
    """Bytes from the window that the stem read last to what it has not read, or to the input's end."""
    _, width, channels = front.source.shape
    return min(front.stem_depthwise.stride[0], front.stem_depthwise.kernel[0]) * width * channels


def _in_input(half: DeviceHalf, front: Front) -> bool:
    """Whether a row of symbols fits into what has been read, of an input that nobody else reads."""
    name = front.source.name
    readers = sum(name in op.inputs for op in half.graph.ops)
    return readers == 1 and name != half.graph.logits and _symbol_bytes(half, front) <= _read_bytes(front, 0)


def _form(site: Site) -> PayloadFormat:
    assert site.half.coder
    return site.half.coder.form


def _put_row(site: Site, coder: str, width: int) -> tuple[str, ...]:
    """Hands the encoder one row of every channel. A refusal is kept by the coder until the end."""
    assert site.half.coder
    assert site.half.symbol_of is not None
    if site.half.coder.wire is Codec.CONTEXT:
        idle = "idle" if site.half.symbol_of[0] == 0 else "NULL"
        return (f"(void){coder}_put_row(&coder, symbols, {idle});",)
    return (
        f"for (uint32_t c = 0; c < {site.half.coder.form.channels}; c++) {{",
        f"    (void){coder}_put(&coder, symbols + {width} * c, {width}, c);",
        "}",
    )


def _functions(site: Site, front: Front, stride: int) -> str:
    """Constants and the functions of one row each."""
    name, form, symbol_of = site.name, _form(site), site.half.symbol_of
    assert symbol_of is not None
    channels = (form.channel_begin, form.channel_begin + form.channels)
    parts = [
        stem_source(name, front),
        middle_source(name, front),
        last_constants(name, front, symbol_of),
        array("uint8_t", f"{name}_symbol_of", symbol_of),
        "\n",
        symbols_source(name, front, channels, stride, int(symbol_of[0])),
    ]
    if front.pool:
        parts.append(sums_source(name, front))
    return "".join(parts)


def _front(half: DeviceHalf, ops: tuple[Op, ...]) -> Front:
    front = match(half, half.graph.ops.index(ops[0]))
    assert front is not None
    return front


def _rows_bytes(front: Front) -> int:
    return _ring_bytes(front) + 4 * middle_pairs(front) * front.width


def _ring_bytes(front: Front) -> int:
    size = 2 * RING_ROWS * front.channels * row_halves(front)
    return size + -size % 4


def _advance(front: Front) -> int:
    """Bytes of the input from one row of the stem to the next."""
    return front.stem_depthwise.stride[0] * front.source.shape[1] * front.source.shape[2]


def _loop(site: Site, front: Front, sink: tuple[str, ...]) -> list[str]:
    """The rows of the stem run one ahead of those of the feature map."""
    name, row = site.name, front.channels * row_halves(front)
    begin, end = front.local
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
        f"        input += {_advance(front)};",
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
    return lines


def _mean(site: Site, front: Front) -> list[str]:
    """What the sums come to, and the end."""
    if front.pool is None:
        return ["return ARM_CMSIS_NN_SUCCESS;"]
    count, channels = front.height * front.width, front.local[1] - front.local[0]
    return [
        f"int8_t *const mean = {site.at(front.pool.output)};",
        f"for (uint32_t c = 0; c < {channels}; c++) {{",
        "    /* Nearest, ties away from zero. */",
        f"    const int32_t half = sums[c] < 0 ? -{count // 2} : {count // 2};",
        f"    mean[c] = (int8_t)((sums[c] + half) / {count});",
        "}",
        "return ARM_CMSIS_NN_SUCCESS;",
    ]
