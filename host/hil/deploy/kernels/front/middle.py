"""C of the 3×3 depthwise convolution over three 16-bit rows, and the rows' ring.

A word holds two neighbours of one channel, so that of a kernel row (w0, w1, w2) the output at an even
pixel is SMLAD with (w0, w1) and one single product, and so is its neighbour's: 6 products for 9 taps.
The outputs of a pixel's channels go side by side, in pairs for the SMLADs of what follows.
"""

from __future__ import annotations

from hil.deploy.kernels.front.match import Front
from hil.deploy.kernels.front.stem import row_halves


def middle_pairs(front: Front) -> int:
    """Words of one pixel's channels."""
    return (front.channels + 1) // 2


def middle_source(name: str, front: Front) -> str:
    """`<name>_middle_row(above, here, below, middle)`."""
    loads = "\n".join(
        f"        const uint32_t left{row} = kernel[{2 * row}], right{row} = kernel[{2 * row + 1}];"
        for row in range(3)
    )
    taps = "\n".join(
        f"""\
            near = hil_word({place} + x);
            far = hil_word({place} + x + 2);
            even = hil_smlad(near, left{row}, even);
            odd = hil_smlatb(near, left{row}, odd);
            even = hil_smlabt(far, right{row}, even);
            odd = hil_smlad(far, right{row}, odd);"""
        for row, place in enumerate(("above", "here", "below"))
    )
    step = 2 * middle_pairs(front)
    zero = front.middle.zero_point
    return f"""\
/* {front.depthwise.name}: a row, channel by channel, two pixels a pass. */
static __attribute__((noinline)) void {name}_middle_row(const int16_t *above, const int16_t *here,
                                                        const int16_t *below, int16_t *middle)
{{
    const uint32_t *kernel = {name}_kernels;
    for (int32_t channel = 0; channel < {front.channels}; channel++, kernel += 6) {{
{loads}
        const int32_t bias = {name}_kernel_bias[channel];
        const int32_t multiplier = {name}_kernel_multiplier[channel];
        int16_t *output = middle + channel;
        for (int32_t x = 0; x < {front.width}; x += 2, output += {2 * step}) {{
            int32_t even = bias, odd = bias;
            uint32_t near, far;
{taps}
            output[0] = (int16_t)hil_saturate_s8(hil_requantise(even, multiplier, {zero}));
            output[{step}] = (int16_t)hil_saturate_s8(hil_requantise(odd, multiplier, {zero}));
        }}
        above += {row_halves(front)};
        here += {row_halves(front)};
        below += {row_halves(front)};
    }}
}}

"""
