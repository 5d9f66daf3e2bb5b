#include "hil_range.h"

#include "hil_symbols.h"
#include "hil_wire.h"

/* The interval begins at the bytes written and then `low`; `range` is at least BOTTOM before a
 * symbol. */
#define BOTTOM (1U << 24)

typedef struct {
    uint32_t low, range;
    uint8_t *at;
    const uint8_t *end;
} coder_t;

/* Adds one to the number written so far. It stays below 1, so some byte is not 255. */
static __attribute__((noinline)) void carry(uint8_t *at) {
    do {
        at--;
    } while (++*at == 0U);
}

static inline void raise(coder_t *coder, uint32_t by) {
    if (__builtin_add_overflow(coder->low, by, &coder->low)) {
        carry(coder->at);
    }
}

static inline int put(coder_t *coder) {
    if (coder->at == coder->end) {
        return -1;
    }
    *coder->at++ = (uint8_t)(coder->low >> 24);
    coder->low <<= 8;
    return 0;
}

static inline int encode_symbol(coder_t *coder, uint32_t entry) {
    const uint32_t step = coder->range >> HIL_RANGE_BITS;
    raise(coder, step * (entry >> 16));
    coder->range = step * (entry & 0xFFFFU);
    while (coder->range < BOTTOM) {
        if (put(coder) < 0) {
            return -1;
        }
        coder->range <<= 8;
    }
    return 0;
}

/* One channel. The working copy of `coder` keeps its four words in registers: a byte stored might
 * else change them. Four entries are loaded before the first is needed, so none is waited for. Not
 * inlined, or GCC adds the row to every symbol. */
static __attribute__((noinline)) int encode_channel(coder_t *coder, const uint8_t *symbols,
                                                    uint32_t count, const uint32_t *row,
                                                    uint32_t alphabet) {
    const uint32_t greatest = (alphabet - 1U) * 0x01010101U;
    coder_t now = *coder;
    for (; count >= 4U; count -= 4U, symbols += 4) {
        const uint32_t four = hil_four_symbols(symbols);
        if (hil_has_foreign(four, greatest)) {
            return -1;
        }
        const uint32_t first = row[four & 0xFFU], second = row[four >> 8 & 0xFFU];
        const uint32_t third = row[four >> 16 & 0xFFU], fourth = row[four >> 24];
        if (encode_symbol(&now, first) < 0 || encode_symbol(&now, second) < 0 ||
            encode_symbol(&now, third) < 0 || encode_symbol(&now, fourth) < 0) {
            return -1;
        }
    }
    for (; count != 0U; count--, symbols++) {
        if (*symbols >= alphabet || encode_symbol(&now, row[*symbols]) < 0) {
            return -1;
        }
    }
    *coder = now;
    return 0;
}

/* The shortest number that stays in the interval whatever follows it. */
static int finish(coder_t *coder) {
    const uint32_t up = -coder->low & (BOTTOM - 1U);
    const int one = up + BOTTOM <= coder->range;
    raise(coder, one ? up : -coder->low & 0xFFFFU);
    return put(coder) < 0 || (!one && put(coder) < 0) ? -1 : 0;
}

int32_t hil_range_encode(const hil_payload_format_t *format, const uint8_t *symbols, uint8_t *out,
                         uint32_t capacity) {
    const uint32_t pixels = format->pixels, alphabet = format->alphabet;
    coder_t coder = {.range = UINT32_MAX, .at = out, .end = out + capacity};
    for (uint32_t channel = 0; channel < format->channels; channel++) {
        if (encode_channel(&coder, symbols + channel * pixels, pixels,
                           format->table + channel * alphabet, alphabet) < 0) {
            return -1;
        }
    }
    return finish(&coder) < 0 ? -1 : (int32_t)(coder.at - out);
}
