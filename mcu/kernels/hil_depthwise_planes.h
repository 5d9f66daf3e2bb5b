/*
 * Depthwise 3 x 3 convolution, channel by channel (hil_depthwise_rows.h), for multipliers with
 * shift 0 and small maps.
 *
 * Four channels of the whole map are transposed, then each is computed in one go: constants are
 * loaded once a channel, and scratch is four channels' blocks, whatever the number of channels.
 * Where a map has more pixels than the data cache has lines, each would be missed for every four
 * channels again.
 */
#ifndef HIL_DEPTHWISE_PLANES_H
#define HIL_DEPTHWISE_PLANES_H

#include "hil_depthwise_rows.h"

/* Channels that are transposed together: those of a word. */
HIL_INLINE int hil_lanes(const hil_depthwise_t *c) {
    return c->channels % 4 == 0 ? 4 : 1;
}

HIL_INLINE void hil_fill_lanes(const hil_depthwise_t *c, const int8_t *row, char *slot) {
    if (hil_lanes(c) == 4) {
        hil_fill_four(c, row, slot);
    } else {
        hil_fill_one(c, row, slot);
    }
}

/*
 * `c->rows` is the map's, `c->slots` that of all rows under it. `constants`: HIL_CHANNEL_WORDS a
 * channel. `scratch`, on a word boundary: a block for each of `hil_lanes`, and two words that are
 * read behind the last.
 */
HIL_INLINE void hil_depthwise_planes(const hil_depthwise_t *c, const int8_t *input,
                                     const int32_t *constants, char *scratch, int8_t *output) {
    const int block = hil_block_bytes(c), slot = 2 * hil_padded_width(c);
    char *const slots = scratch + 4 * HIL_CHANNEL_WORDS;
    /* Rows of padding stay. */
    for (int i = 0; i < c->slots; i++) {
        if (i < c->pad_top || i >= c->pad_top + c->in_height) {
            hil_fill_lanes(c, NULL, slots + i * slot);
        }
    }
    const int end = c->pad_top + c->in_height;
    for (int channel = 0; channel < c->channels; channel += hil_lanes(c)) {
        const int8_t *row = input + channel;
        for (int i = c->pad_top; i < (end < c->slots ? end : c->slots); i++) {
            hil_fill_lanes(c, row, slots + i * slot);
            row += c->in_width * c->channels;
        }
        char *at = scratch;
#pragma GCC unroll 1
        for (int lane = 0; lane < hil_lanes(c); lane++) {
            memcpy(at, constants, 4 * HIL_CHANNEL_WORDS);
            hil_depthwise_rows(c, at, at + 8, output + channel + lane);
            constants += HIL_CHANNEL_WORDS;
            at += block;
        }
    }
}

#endif
