"""C of the last pointwise convolution, of which no map is kept: symbols of one row, or sums of it.

A symbol is the table's entry of the requantised value. Most rows of most channels hold nothing but the
lowest symbol: that is a sign test of accumulators whose bias holds the threshold, half the products and
no table. So a channel whose last row was empty is tested first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.deploy.kernels import rounding
from hil.deploy.kernels.front import constants
from hil.deploy.kernels.front.match import Front
from hil.deploy.kernels.front.middle import middle_pairs
from hil.deploy.kernels.schedule import Block, Instruction, Unit, schedule, statement

REGISTERS = 13
CROWDED = 9
"""Operands from which on GCC needs two of the fourteen for itself, else one."""
FILLED_AT_ONCE = 64
"""Bytes of a row up to which word stores are shorter than a call."""


def pixels_at_once(front: Front) -> int:
    """Pixels of a pass: long passes hide latencies, a row is a whole number of them."""
    return next(count for count in (8, 4) if front.width % count == 0)


def _weights(front: Front) -> tuple[str, ...]:
    return tuple(f"w{pair}" for pair in range(middle_pairs(front)))


def _sum(block: Block, front: Front, at: int) -> str:
    """The accumulator of pixel `at`."""
    total = "bias"
    for pair, weight in enumerate(_weights(front)):
        word = block.load("middle", 4 * (at * middle_pairs(front) + pair))
        total = block.mac("smlad", word, weight, total)
    return total


def _statement(block: Block, inputs: tuple[str, ...], in_out: tuple[str, ...] = ()) -> str:
    operands = len(inputs) + len(in_out)
    registers = REGISTERS - (operands >= CROWDED) - operands
    return "\n".join(f"            {line}" for line in statement(schedule(block, registers), inputs, in_out))


def last_constants(name: str, front: Front, symbol_of: NDArray[np.uint8]) -> str:
    """By channel: weights, bias, multiplier, and the bias less the threshold."""
    op = front.pointwise
    bias = constants.folded_bias(front.middle, op)
    least = constants.thresholds(front.middle, front.feature, op, symbol_of)
    weights = constants.pairs(op.weights.values.reshape(len(op.weights.values), -1))
    rest = np.stack((bias, rounding.doubled(op.weights), bias - least), axis=1).astype(np.uint32)
    return constants.words(f"{name}_last", np.concatenate((weights, rest), axis=1))


def symbols_source(name: str, front: Front, channels: tuple[int, int], stride: int, lowest: int) -> str:
    """`<name>_symbols(middle, idle, symbols)`: one row of `channels`, `stride` bytes from one to the next."""
    begin, end = channels
    pairs, count, width = middle_pairs(front), pixels_at_once(front), front.width
    weights = "\n".join(
        f"        const uint32_t {word} = k[{at}];" for at, word in enumerate(_weights(front))
    )
    step = 2 * count * pairs
    filled = "\n".join(
        f"                hil_store_word(symbols + {at}, 0x{lowest * 0x01010101:08x}U);"
        for at in range(0, width, 4)
    )
    if width > FILLED_AT_ONCE:
        filled = f"                memset(symbols, {lowest}, {width});"
    return f"""\
/* {front.pointwise.name}: the symbols of one row. `idle` says of each channel whether its last row held
 * nothing but the lowest symbol. */
static __attribute__((noinline)) void {name}_symbols(const int16_t *const row, uint8_t *idle,
                                                     uint8_t *symbols)
{{
    const uint32_t *k = {name}_last + {(pairs + 3) * begin};
    for (uint32_t c = 0; c < {end - begin}; c++, k += {pairs + 3}, symbols += {stride}) {{
{weights}
        if (idle[c]) {{
            const uint32_t bias = k[{pairs + 2}];
            int32_t all = -1;
            for (const int16_t *middle = row; middle != row + {2 * pairs * width}; middle += {step}) {{
{_empty(front)}
            }}
            if (all < 0) {{
{filled}
                continue;
            }}
        }}
        const uint32_t bias = k[{pairs}], multiplier = k[{pairs + 1}];
        const uint8_t *const table = {name}_symbol_of;
        const int16_t *middle = row;
        for (uint8_t *at = symbols; at != symbols + {width}; at += {count}) {{
{_symbols(front)}
            middle += {step};
        }}
        idle[c] = (uint8_t)hil_row_is(symbols, {width}, 0x{lowest * 0x01010101:08x}U);
    }}
}}

"""


def _empty(front: Front) -> str:
    block = Block()
    for at in range(pixels_at_once(front)):
        total = _sum(block, front, at)
        block.instructions.append(Instruction("and %[all], %[all], {0}", Unit.ALU, None, (total,)))
    inputs = ("middle", "bias", *_weights(front))
    return _statement(block, inputs, ("all",))


def _symbols(front: Front) -> str:
    block, zero = Block(), front.feature.zero_point + 128
    inputs = ("middle", "at", "bias", "multiplier", "table", *_weights(front))
    for pixel in range(pixels_at_once(front)):
        value = _requantised(block, _sum(block, front, pixel), zero)
        index = block.put(Unit.SATURATE, "usat {d}, #8, {0}", value)
        symbol = block.put(Unit.SUBWORD, "ldrb {d}, [%[table], {0}]", index)
        block.store("strb", symbol, "at", pixel)
    if zero:
        inputs = (*inputs, "zero")
    lines = _statement(block, inputs)
    return lines if not zero else f"            const int32_t zero = {zero};\n{lines}"


def _requantised(block: Block, total: str, zero: int) -> str:
    if zero:
        return block.mac("smmlar", total, "multiplier", "zero")
    return block.put(Unit.MAC, "smmulr {d}, {0}, {1}", total, "multiplier")


def sums_source(name: str, front: Front) -> str:
    """`<name>_sum(row, sums)`: adds a row's int8 values of the channels that are averaged."""
    begin, end = front.local
    block, count, pairs = Block(), pixels_at_once(front), middle_pairs(front)
    for at in range(count):
        value = block.saturate(block.mac("smmlar", _sum(block, front, at), "multiplier", "zero"))
        block.instructions.append(Instruction("add %[total], %[total], {0}", Unit.ALU, None, (value,)))
    inputs = ("middle", "bias", "multiplier", "zero", *_weights(front))
    weights = "\n".join(
        f"        const uint32_t {word} = k[{at}];" for at, word in enumerate(_weights(front))
    )
    return f"""\
/* {front.pointwise.name}: sums over one row, for the mean. */
static __attribute__((noinline)) void {name}_sum(const int16_t *const row, int32_t *sums)
{{
    const uint32_t *k = {name}_last + {(pairs + 3) * begin};
    for (uint32_t c = 0; c < {end - begin}; c++, k += {pairs + 3}) {{
{weights}
        const uint32_t bias = k[{pairs}], multiplier = k[{pairs + 1}];
        const int32_t zero = {front.feature.zero_point};
        int32_t total = sums[c];
        for (const int16_t *middle = row; middle != row + {2 * pairs * front.width};
             middle += {2 * count * pairs}) {{
{_statement(block, inputs, ("total",))}
        }}
        sums[c] = total;
    }}
}}

"""
