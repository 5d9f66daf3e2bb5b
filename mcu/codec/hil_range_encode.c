/* A static range coder with a table for every channel, bit for bit as
 * host/hil/codec/range_coder.py, which says how. The table: cumulative frequency in the upper half
 * of a word, frequency in the lower, every channel's sum is 2^HIL_RANGE_BITS. No scratch. */
#include "hil_coder.h"
#include "hil_symbols.h"
#include "hil_wire.h"

/* The interval begins at the bytes written and then `low`; `range` is at least BOTTOM before a
 * symbol. */
#define BOTTOM (1U << 24)

/* What changes within a run, in registers: a byte stored might else change them. */
typedef struct {
    uint32_t low, range;
    uint8_t *at;
    const uint8_t *end;
} interval_t;

/* Adds one to the number written so far. It stays below 1, so some byte is not 255. */
static __attribute__((noinline)) void carry(uint8_t *at) {
    do {
        at--;
    } while (++*at == 0U);
}

static inline void raise(interval_t *now, uint32_t by) {
    if (__builtin_add_overflow(now->low, by, &now->low)) {
        carry(now->at);
    }
}

static inline int put(interval_t *now) {
    if (now->at == now->end) {
        return -1;
    }
    *now->at++ = (uint8_t)(now->low >> 24);
    now->low <<= 8;
    return 0;
}

static inline int encode_symbol(interval_t *now, uint32_t entry) {
    const uint32_t step = now->range >> HIL_RANGE_BITS;
    raise(now, step * (entry >> 16));
    now->range = step * (entry & 0xFFFFU);
    while (now->range < BOTTOM) {
        if (put(now) < 0) {
            return -1;
        }
        now->range <<= 8;
    }
    return 0;
}

/* One run. Four entries are loaded before the first is needed, so none is waited for. Not inlined,
 * or GCC adds the row to every symbol. */
static __attribute__((noinline)) int encode_run(interval_t *interval, const uint8_t *symbols,
                                                uint32_t count, const uint32_t *row,
                                                uint32_t alphabet) {
    const uint32_t greatest = (alphabet - 1U) * 0x01010101U;
    interval_t now = *interval;
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
    *interval = now;
    return 0;
}

void hil_range_begin(hil_coder_t *coder, const hil_payload_format_t *format, void *scratch,
                     uint8_t *out, uint32_t capacity) {
    hil_coder_begin(coder, format, scratch, out, capacity);
    coder->interval.low = 0;
    coder->interval.range = UINT32_MAX;
}

int hil_range_put(hil_coder_t *coder, const uint8_t *symbols, uint32_t count, uint32_t channel) {
    const uint32_t alphabet = coder->format->alphabet;
    const uint32_t *const row = coder->format->table + channel * alphabet;
    interval_t now = {coder->interval.low, coder->interval.range, coder->at, coder->end};
    if (encode_run(&now, symbols, count, row, alphabet) < 0) {
        return hil_coder_refuse(coder);
    }
    coder->interval.low = now.low;
    coder->interval.range = now.range;
    coder->at = now.at;
    return 0;
}

/* The shortest number that stays in the interval whatever follows it. */
int32_t hil_range_finish(hil_coder_t *coder) {
    interval_t now = {coder->interval.low, coder->interval.range, coder->at, coder->end};
    const uint32_t up = -now.low & (BOTTOM - 1U);
    const int one = up + BOTTOM <= now.range;
    raise(&now, one ? up : -now.low & 0xFFFFU);
    if (coder->failed || put(&now) < 0 || (!one && put(&now) < 0)) {
        return -1;
    }
    coder->at = now.at;
    return (int32_t)(now.at - coder->out);
}
