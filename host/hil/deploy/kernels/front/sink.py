"""C of the last pointwise convolution, of which no map is kept: symbols of one row, or sums of it.

A symbol is a table's entry for the requantised value. Most are the lowest one: the bias holds the
accumulator's threshold, so that four of those at once are a sign test.
"""

from __future__ import annotations

from hil.deploy.kernels.front.match import Front
from hil.deploy.kernels.front.middle import middle_pairs

PIXELS = 4


def _sums(front: Front, start: str) -> list[str]:
    """`sum0` … of `PIXELS` pixels at `middle`, by the weights `w0` …."""
    pairs = middle_pairs(front)
    lines = [f"int32_t sum{at} = {start};" for at in range(PIXELS)]
    for at in range(PIXELS):
        for pair in range(pairs):
            place = f"middle + {2 * (at * pairs + pair)}"
            lines.append(f"sum{at} = hil_smlad(hil_word({place}), w{pair}, sum{at});")
    lines.append(f"middle += {2 * PIXELS * pairs};")
    return lines


def _weights(front: Front, text: str) -> str:
    pairs = middle_pairs(front)
    return f"    const uint32_t {', '.join(f'w{pair} = {text}[{pair}]' for pair in range(pairs))};"


def _block(lines: list[str]) -> str:
    return "\n".join(f"        {line}" for line in lines)


def symbols_source(name: str, front: Front, lowest: int) -> str:
    """`<name>_symbol_row(middle, channel, symbols)`."""
    zero = front.feature.zero_point + 128
    picks = [
        f"const uint32_t symbol{at} = {name}_symbol_of[hil_saturate_u8("
        f"hil_requantise(sum{at} + threshold, multiplier, {zero}))];"
        for at in range(PIXELS)
    ]
    joined = " | ".join(f"symbol{at} << {8 * at}" if at else f"symbol{at}" for at in range(PIXELS))
    negative = " & ".join(f"sum{at}" for at in range(PIXELS))
    return f"""\
/* {front.pointwise.name}: the symbols of one channel's row. */
static __attribute__((noinline)) void {name}_symbol_row(const int16_t *middle, uint32_t channel,
                                                        uint8_t *symbols)
{{
{_weights(front, f"({name}_weights + {middle_pairs(front)} * channel)")}
    const int32_t bias = {name}_bias[channel], multiplier = {name}_multiplier[channel];
    const int32_t threshold = {name}_threshold[channel];
    const uint8_t *const end = symbols + {front.width};
    while (symbols != end) {{
{_block(_sums(front, "bias"))}
        if (({negative}) < 0) {{
            hil_store_word(symbols, 0x{lowest * 0x01010101:08x}U);
        }} else {{
{_block([f"    {line}" for line in picks])}
            hil_store_word(symbols, {joined});
        }}
        symbols += {PIXELS};
    }}
}}

"""


def pool_source(name: str, front: Front) -> str:
    """`<name>_sum_row(middle, channel)`: the sum of one channel's row of int8 values."""
    zero = front.feature.zero_point
    lines = _sums(front, "bias")
    lines += [
        f"total += hil_saturate_s8(hil_requantise(sum{at}, multiplier, {zero}));" for at in range(PIXELS)
    ]
    return f"""\
/* {front.pointwise.name}: the sum over one channel's row, for the mean. */
static __attribute__((noinline)) int32_t {name}_sum_row(const int16_t *middle, uint32_t channel)
{{
{_weights(front, f"({name}_weights + {middle_pairs(front)} * channel)")}
    const int32_t bias = {name}_bias[channel] + {name}_threshold[channel];
    const int32_t multiplier = {name}_multiplier[channel];
    int32_t total = 0;
    for (int32_t x = 0; x < {front.width}; x += {PIXELS}) {{
{_block(lines)}
    }}
    return total;
}}

"""
