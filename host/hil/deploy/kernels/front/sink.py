"""C of the last pointwise convolution, of which no map is kept: symbols of one row, or sums of it.

A symbol is the table's entry of the requantised value. Most rows of most channels hold nothing but the
lowest symbol: that is a sign test of accumulators whose bias holds the threshold, half the products and
no table. So a channel whose last row was empty is tested first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.deploy.kernels.front import constants
from hil.deploy.kernels.front.match import Front
from hil.deploy.kernels.front.middle import middle_pairs
from hil.deploy.kernels.schedule import Block, Instruction, Unit, schedule, statement

REGISTERS = 9
"""Beside the operands of the asm statements below."""


def pixels_at_once(front: Front) -> int:
    """Pixels of a pass: long passes hide latencies, a row is a whole number of them."""
    return 8 if front.width % 8 == 0 else 4


def _weights(front: Front) -> tuple[str, ...]:
    return tuple(f"w{pair}" for pair in range(middle_pairs(front)))


def _sum(block: Block, front: Front, at: int) -> str:
    """The accumulator of pixel `at`."""
    total = "bias"
    for pair, weight in enumerate(_weights(front)):
        word = block.load("middle", 4 * (at * middle_pairs(front) + pair))
        total = block.mac("smlad", word, weight, total)
    return total


def _locals(name: str, front: Front) -> str:
    """The channel's constants: weights, bias, multiplier."""
    pairs = middle_pairs(front)
    lines = [f"    const uint32_t *const k = {name}_last + {pairs + 3} * channel;"]
    lines += [f"    const uint32_t {weight} = k[{at}];" for at, weight in enumerate(_weights(front))]
    return "\n".join(lines)


def _statement(block: Block, registers: int, inputs: tuple[str, ...], in_out: tuple[str, ...] = ()) -> str:
    return "\n".join(f"        {line}" for line in statement(schedule(block, registers), inputs, in_out))


def last_constants(name: str, front: Front, symbol_of: NDArray[np.uint8]) -> str:
    """By channel: weights, bias, multiplier, and the bias less the threshold."""
    op = front.pointwise
    bias = constants.folded_bias(front.middle, op)
    least = constants.thresholds(front.middle, front.feature, op, symbol_of)
    weights = constants.pairs(op.weights.values.reshape(len(op.weights.values), -1))
    rest = np.stack((bias, constants.doubled(op), bias - least), axis=1).astype(np.uint32)
    return constants.words(f"{name}_last", np.concatenate((weights, rest), axis=1))


def empty_source(name: str, front: Front) -> str:
    """`<name>_empty(middle, channel)`: whether the row holds nothing but the lowest symbol."""
    block, count = Block(), pixels_at_once(front)
    for at in range(count):
        total = _sum(block, front, at)
        block.instructions.append(Instruction("and %[all], %[all], {0}", Unit.ALU, None, (total,)))
    inputs = ("middle", "bias", *_weights(front))
    return f"""\
/* Whether a channel's row holds nothing but the lowest symbol. */
static __attribute__((noinline)) int {name}_empty(const int16_t *middle, uint32_t channel)
{{
{_locals(name, front)}
    const uint32_t bias = k[{middle_pairs(front) + 2}];
    int32_t all = -1;
    for (const int16_t *const end = middle + {2 * middle_pairs(front) * front.width}; middle != end;) {{
{_statement(block, REGISTERS, inputs, ("all",))}
        middle += {2 * count * middle_pairs(front)};
    }}
    return all < 0;
}}

"""


def symbols_source(name: str, front: Front) -> str:
    """`<name>_symbols(middle, channel, symbols)`."""
    block, count = Block(), pixels_at_once(front)
    for at in range(count):
        value = block.mac("smmlar", _sum(block, front, at), "multiplier", "zero")
        index = block.put(Unit.SATURATE, "usat {d}, #8, {0}", value)
        symbol = block.put(Unit.SUBWORD, "ldrb {d}, [%[table], {0}]", index)
        block.store("strb", symbol, "symbols", at)
    inputs = ("middle", "symbols", "bias", "multiplier", "zero", "table", *_weights(front))
    return f"""\
/* {front.pointwise.name}: the symbols of one channel's row. */
static __attribute__((noinline)) void {name}_symbols(const int16_t *middle, uint32_t channel,
                                                     uint8_t *symbols)
{{
{_locals(name, front)}
    const uint32_t bias = k[{middle_pairs(front)}], multiplier = k[{middle_pairs(front) + 1}];
    const uint8_t *const table = {name}_symbol_of;
    const int32_t zero = {front.feature.zero_point + 128};
    for (const uint8_t *const end = symbols + {front.width}; symbols != end; symbols += {count}) {{
{_statement(block, 14 - len(inputs), inputs)}
        middle += {2 * count * middle_pairs(front)};
    }}
}}

"""


def sums_source(name: str, front: Front) -> str:
    """`<name>_sum(middle, channel)`: the sum of one channel's row of int8 values."""
    block, count = Block(), pixels_at_once(front)
    for at in range(count):
        value = block.saturate(block.mac("smmlar", _sum(block, front, at), "multiplier", "zero"))
        block.instructions.append(Instruction("add %[total], %[total], {0}", Unit.ALU, None, (value,)))
    inputs = ("middle", "bias", "multiplier", "zero", *_weights(front))
    return f"""\
/* {front.pointwise.name}: the sum over one channel's row, for the mean. */
static __attribute__((noinline)) int32_t {name}_sum(const int16_t *middle, uint32_t channel)
{{
{_locals(name, front)}
    const uint32_t bias = k[{middle_pairs(front)}], multiplier = k[{middle_pairs(front) + 1}];
    const int32_t zero = {front.feature.zero_point};
    int32_t total = 0;
    for (const int16_t *const end = middle + {2 * middle_pairs(front) * front.width}; middle != end;) {{
{_statement(block, 13 - len(inputs), inputs, ("total",))}
        middle += {2 * count * middle_pairs(front)};
    }}
    return total;
}}

"""
