/*
 * Convolution of any kernel, stride and padding, int8, for layers whose multipliers have shift 0.
 *
 * Band by band of output rows. Of every row the input under it is laid out column by column as
 * int16, padding included, so that each window is one stretch of memory and windows overlap as they
 * should: every input value is expanded kernel_h / stride_h times and not once a window. Then, for
 * each pair of output channels, the weights are expanded once and the windows are taken two at a
 * time (hil_block.h). The zero point of the input is in the bias. A pointwise convolution is the
 * case of one column a window.
 *
 * Costs, in cycles: 2 a tap for 2 x 2 sums, about 20 around each of these, 0.6 a weight a band, 0.8
 * a value of the layout.
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

/* Two output channels: bias less the input's zero point times the weights, and doubled multiplier.
 */
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
    const int step = hil_column_step(c), overlap = c->kernel_w - step;
    const int columns = c->out_width * step + (overlap > 0 ? overlap : 0);
    return columns * hil_column(c) + 4;
}

HIL_INLINE void hil_lay_out_pixel(const hil_convolution_t *c, const int8_t *pixel, int16_t *to) {
    if (c->in_channels % 4 == 0) {
        hil_expand(pixel, c->in_channels, to);
    } else {
#pragma GCC unroll 4
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
    const int spacing = c->kernel_w == 1 ? c->stride_w : 1, column = hil_column(c);
    const int columns = (c->out_width - 1) * hil_column_step(c) + c->kernel_w;
    /* Columns before `left` and from `right` on are padding. */
    const int left = (c->pad_left + spacing - 1) / spacing;
    const int all = (c->in_width - 1 + c->pad_left) / spacing + 1;
    const int right = all < columns ? all : columns;
    for (int ky = 0; ky < c->kernel_h; ky++) {
        const int in_y = y * c->stride_h - c->pad_top + ky;
        const int is_inside = in_y >= 0 && in_y < c->in_height;
        const int8_t *pixel =
            input + (in_y * c->in_width + left * spacing - c->pad_left) * c->in_channels;
        int16_t *const at = to + ky * c->in_channels;
        for (int i = left; is_inside && i < right; i++) {
            hil_lay_out_pixel(c, pixel, at + i * column);
            pixel += spacing * c->in_channels;
        }
        for (int i = 0; i < (is_inside ? left : columns); i++) {
            hil_lay_out_zero(c, at + i * column);
        }
        for (int i = right; is_inside && i < columns; i++) {
            hil_lay_out_zero(c, at + i * column);
        }
    }
}

/* A row of two output channels, or of the last one of an odd number. */
HIL_INLINE void hil_convolve_row(const hil_convolution_t *c, const int16_t *x, const int16_t *w,
                                 int channels, int8_t *output) {
    const int step = c->out_width > 1 ? hil_column_step(c) * hil_column(c) : 0;
    const int depth = c->out_width > 1 ? c->out_channels : 0;
    const hil_block_t block = {hil_quads(c), c->unroll, 2 * step, depth,
                               c->out_zero,  c->low,    c->high,  channels};
    int pairs = c->out_width > 1 ? c->out_width / 2 : 1;
    /* Of an odd number of pixels the last but one is computed again. */
    for (int last = c->out_width > 1 ? c->out_width % 2 : 0; last >= 0; last--) {
        hil_block_row(&block, x, w, pairs, output);
        x += (c->out_width - 2) * step;
        output += (c->out_width - 2) * depth;
        pairs = 1;
    }
}

/*
 * `weights`: for every pair of output channels and quad of taps, four of the first and four of the
 * second, in the order that the layout has after expansion. `scratch`, on a word boundary: the
 * expanded weights of two channels with what `hil_block_row` wants around them, and `rows` layouts.
 */
HIL_INLINE void hil_convolve(const hil_convolution_t *c, const int8_t *input, const int8_t *weights,
                             const hil_channel_pair_t *channels, int16_t *scratch, int8_t *output) {
    int16_t *const w = scratch + 4, *const x = w + 8 * hil_quads(c) + 4;
    const int row_bytes = c->out_width * c->out_channels;
    for (int y = 0; y < c->out_height; y += c->rows) {
        const int rows = c->out_height - y < c->rows ? c->out_height - y : c->rows;
        for (int r = 0; r < rows; r++) {
            hil_lay_out(c, input, y + r, x + r * hil_layout(c));
        }
        for (int first = 0; first < c->out_channels; first += 2) {
            memcpy(w - 4, channels[first / 2].bias, 8);
            hil_expand_weights(weights + first * hil_quads(c) * 4, hil_quads(c), w);
            memcpy(w + 8 * hil_quads(c), channels[first / 2].multiplier, 8);
            for (int r = 0; r < rows; r++) {
                int8_t *const row = output + (y + r) * row_bytes + first;
                if (c->out_channels % 2 == 0 || first + 1 < c->out_channels) {
                    hil_convolve_row(c, x + r * hil_layout(c), w, 2, row);
                } else {
                    hil_convolve_row(c, x + r * hil_layout(c), w, 1, row);
                }
            }
        }
    }
}

#endif
