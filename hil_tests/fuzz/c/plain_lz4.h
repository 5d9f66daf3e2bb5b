/* LZ4's block format and the bit shuffle once more, as plainly as host/hil/codec says them. */
#ifndef HIL_PLAIN_LZ4_H
#define HIL_PLAIN_LZ4_H

#include <stdbool.h>

#include "fuzz.h"
#include "hil_wire.h"

static inline bool plain_lz4_length(const uint8_t *block, uint32_t size, uint32_t *at,
                                    uint32_t *length) {
    for (uint8_t more = *length == 15U ? 255 : 0; more == 255U; *length += more) {
        if (*at == size) {
            return false;
        }
        more = block[(*at)++];
    }
    return true;
}

/* Whether `block` holds exactly `count` bytes. */
static inline bool plain_lz4_decode(const uint8_t *block, uint32_t size, uint8_t *out,
                                    uint32_t count) {
    uint32_t at = 0, done = 0;
    while (at < size) {
        const uint8_t token = block[at++];
        uint32_t literals = token >> 4, match = token & 15U;
        if (!plain_lz4_length(block, size, &at, &literals) || literals > size - at ||
            literals > count - done) {
            return false;
        }
        memcpy(out + done, block + at, literals);
        done += literals;
        at += literals;
        if (at == size) {
            return done == count && match == 0U;
        }
        if (size - at < 2U) {
            return false;
        }
        const uint32_t offset = block[at] | (uint32_t)block[at + 1U] << 8;
        at += 2U;
        if (!plain_lz4_length(block, size, &at, &match) || offset == 0U || offset > done ||
            match + 4U > count - done) {
            return false;
        }
        for (match += 4U; match != 0U; match--, done++) {
            out[done] = out[done - offset];
        }
    }
    return false;
}

/* Of each block of whole groups of eight, bit b of byte i lies in plane b at place i. */
static inline void plain_unshuffle(uint8_t *bytes, uint32_t count) {
    uint8_t block[HIL_SHUFFLE_BLOCK];
    for (uint32_t left = count & ~7U; left != 0U;) {
        const uint32_t size = left < HIL_SHUFFLE_BLOCK ? left : HIL_SHUFFLE_BLOCK;
        memset(block, 0, sizeof block);
        for (uint32_t i = 0; i < size; i++) {
            for (uint32_t bit = 0; bit < 8U; bit++) {
                const uint32_t place = bit * size / 8U + i / 8U;
                block[i] |= (uint8_t)((bytes[place] >> i % 8U & 1U) << bit);
            }
        }
        memcpy(bytes, block, size);
        bytes += size;
        left -= size;
    }
}

#endif
