/*
 * Convolution of any kernel, stride and padding, int8, for layers whose multipliers have shift 0.
 *
 * Band by band of output rows. Of every row the input under it is laid out column by column as int16,
 * padding included, so that each window is one stretch of memory and windows overlap as they should:
 * every input value is expanded kernel_h / stride_h times and not once a window. Then, for each pair of
 * output channels, the weights are expanded once and the windows are taken two at a time (hil_block.h).
 * The zero point of the input is in the bias. A pointwise convolution is the case of one column a window.
 *
 * Costs, in cycles: 2 a tap for 2 x 2 sums, about 20 around each of these, 0.6 a weight a band, 0.8 a
 * value of the layout.
 */
#ifndef HIL_CONVOLVE_H
#define HIL_CONVOLVE_H

#include "hil_block.h"
#include "hil_expand.h"
#include "hil_requantise.h"

/* A layer; every field is a constant where `hil_convolve` is called. */
typedef struct {
    int in_height, in_width, in_channels;
    int out_height, out_width, out_channels;
    int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int in_zero, out_zero, low, high;
    int rows;   /* of output, a pass over the weights */
    int unroll; /* quads of taps, a divisor of their number */
} hil_convolution_t;

/* Two output channels: bias less the input's zero point times the weights, and doubled multiplier. */
typedef struct {
    int32_t bias[2];
    int32_t multiplier[2];
} hil_channel_pair_t;

/* int16 values of a column of a window, an even number. */
HIL_INLINE int hil_column(const hil_convolution_t *c) {
    return (c->kernel_h * c->in_channels + 1) & ~1;
}

/* Columns between neighbouring windows: those that no window sees are left out. */
HIL_INLINE int hil_column_step(const hil_convolution_t *c) {
    return c->kernel_w == 1 ? 1 : c->stride_w;
}

/* Quads of taps of a window. */
HIL_INLINE int hil_quads(const hil_convolution_t *c) {
    return (c->kernel_w * hil_column(c) + 3) / 4;
}

/* int16 values of the layout under a row, with what is read behind its last window. */
HIL_INLINE int hil_layout(const hil_convolution_t *c) {
    const int windows = (c->out_width + 1) & ~1;
    const int columns = (windows - 1) * hil_column_step(c) + c->kernel_w;
    return columns * hil_column(c) + 4;
}

HIL_INLINE void hil_lay_out_pixel(const hil_convolution_t *c, const int8_t *pixel, int16_t *to) {
    if (c->in_channels % 4 == 0) {
        hil_expand(pixel, c->in_channels, to);
    } else {
        for (int i = 0; i < c->in_channels; i++) {
            to[i] = pixel[i];
        }
    }
}

HIL_INLINE void hil_lay_out_zero(const hil_convolution_t *c, int16_t *to) {
    for (int i = 0; i < c->in_channels; i++) {
        to[i] = (int16_t)c->in_zero;
    }
}

/* The input under output row `y`, column by column. */
HIL_INLINE void hil_lay_out(const hil_convolution_t *c, const int8_t *input, int y, int16_t *to) {
    const int spacing = c->kernel_w == 1 ? c->stride_w : 1;
    const int columns = (c->out_width - 1) * hil_column_step(c) + c->kernel_w;
    for (int ky = 0; ky < c->kernel_h; ky++) {
        const int in_y = y * c->stride_h - c->pad_top + ky;
        const int is_inside = in_y >= 0 && in_y < c->in_height;
        const int8_t *row = input + in_y * c->in_width * c->in_channels;
        int16_t *at = to + ky * c->in_channels;
        for (int i = 0; i < columns; i++) {
            const int in_x = i * spacing - c->pad_left;
            if (is_inside && in_x >= 0 && in_x < c->in_width) {
                hil_lay_out_pixel(c, row + in_x * c->in_channels, at);
            } else {
                hil_lay_out_zero(c, at);
            }
            at += hil_column(c);
        }
    }
}

HIL_INLINE int8_t hil_finish(const hil_convolution_t *c, int32_t sum, int32_t multiplier) {
    int32_t value = hil_saturate_s8(hil_requantise(sum, multiplier, c->out_zero));
    if (c->low > -128) {
        value = value < c->low ? c->low : value;
    }
    if (c->high < 127) {
        value = value > c->high ? c->high : value;
    }
    return (int8_t)value;
}

/* A row of two output channels; `is_odd`: the second does not exist. */
HIL_INLINE void hil_convolve_row(const hil_convolution_t *c, const int16_t *x, const int16_t *w,
                                 const hil_channel_pair_t *channels, int is_odd, int8_t *output) {
    const int step = hil_column_step(c) * hil_column(c), depth = c->out_channels;
    const int32_t m0 = channels->multiplier[0], m1 = channels->multiplier[1];
    for (int i = 0; i < c->out_width; i += 2) {
        const hil_block_t bias = {channels->bias[0], channels->bias[0], channels->bias[1],
                                  channels->bias[1]};
        const hil_block_t sums = hil_block(bias, x, w, hil_quads(c), c->unroll, 2 * step);
        output[0] = hil_finish(c, sums.c0p0, m0);
        if (!is_odd) {
            output[1] = hil_finish(c, sums.c1p0, m1);
        }
        if (c->out_width % 2 == 0 || i + 1 < c->out_width) {
            output[depth] = hil_finish(c, sums.c0p1, m0);
            if (!is_odd) {
                output[depth + 1] = hil_finish(c, sums.c1p1, m1);
            }
        }
        x += 2 * step;
        output += 2 * depth;
    }
}

/*
 * `weights`: for every pair of output channels and quad of taps, four of the first and four of the
 * second, in the order that the layout has after expansion. `scratch`, on a word boundary: `rows` layouts and the expanded
 * weights of two channels.
 */
HIL_INLINE void hil_convolve(const hil_convolution_t *c, const int8_t *input, const int8_t *weights,
                             const hil_channel_pair_t *channels, int16_t *scratch, int8_t *output) {
    int16_t *const w = scratch + c->rows * hil_layout(c);
    const int row_bytes = c->out_width * c->out_channels;
    for (int y = 0; y < c->out_height; y += c->rows) {
        const int rows = c->out_height - y < c->rows ? c->out_height - y : c->rows;
        for (int r = 0; r < rows; r++) {
            hil_lay_out(c, input, y + r, scratch + r * hil_layout(c));
        }
        for (int pair = 0; pair < (c->out_channels + 1) / 2; pair++) {
            const int is_odd = c->out_channels % 2 && pair == c->out_channels / 2;
            hil_expand_weights(weights + pair * hil_quads(c) * 8, hil_quads(c), w);
            for (int r = 0; r < rows; r++) {
                hil_convolve_row(c, scratch + r * hil_layout(c), w, channels + pair, is_odd,
                                 output + (y + r) * row_bytes + 2 * pair);
            }
        }
    }
}

#endif
