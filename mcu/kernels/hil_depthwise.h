/*
 * Depthwise 3 x 3 convolution, row by row (hil_depthwise_rows.h), for multipliers with shift 0.
 *
 * Every input row is transposed once, for all channels. Their blocks hold three rows: padded row r
 * is in slot r mod 3, and instead of moving rows the weights are read from another of their rows
 * on. A row of outputs may lie over the input row in its place.
 */
#ifndef HIL_DEPTHWISE_H
#define HIL_DEPTHWISE_H

#include "hil_depthwise_rows.h"

/* Input row `y`, or padding, into a slot of every channel. */
HIL_INLINE void hil_fill(const hil_depthwise_t *c, const int8_t *input, int y, char *slot) {
    const int is_inside = y >= 0 && y < c->in_height;
    const int8_t *const row = input + y * c->in_width * c->channels;
    const int lanes = c->channels % 4 == 0 ? 4 : 1;
    for (int channel = 0; channel < c->channels; channel += lanes) {
        if (lanes == 4) {
            hil_fill_four(c, is_inside ? row + channel : NULL, slot);
        } else {
            hil_fill_one(c, is_inside ? row + channel : NULL, slot);
        }
        slot += lanes * hil_block_bytes(c);
    }
}

/*
 * `c->slots` is 3, `c->rows` 1. `constants`: HIL_CHANNEL_WORDS a channel. `scratch`, on a word
 * boundary: a block a channel, and two words that are read behind the last.
 */
HIL_INLINE void hil_depthwise(const hil_depthwise_t *c, const int8_t *input,
                              const int32_t *constants, char *scratch, int8_t *output) {
    const int block = hil_block_bytes(c), slot = 2 * hil_padded_width(c);
    for (int channel = 0; channel < c->channels; channel++) {
        memcpy(scratch + channel * block, constants + channel * HIL_CHANNEL_WORDS,
               4 * HIL_CHANNEL_WORDS);
    }
    for (int y = 0; y < c->out_height; y++) {
        const int top = y * c->stride;
        for (int padded = y ? top + HIL_TAPS - c->stride : 0; padded < top + HIL_TAPS; padded++) {
            char *const to = scratch + 4 * HIL_CHANNEL_WORDS + padded % HIL_TAPS * slot;
            hil_fill(c, input, padded - c->pad_top, to);
        }
        const int turn = (HIL_TAPS - top % HIL_TAPS) % HIL_TAPS;
        const char *at = scratch;
#pragma GCC unroll 1
        for (int channel = 0; channel < c->channels; channel++) {
            hil_depthwise_rows(c, at, at + 8 + 8 * turn, output + channel);
            at += block;
        }
        output += c->out_width * c->channels;
    }
}

#endif
