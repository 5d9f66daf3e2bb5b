/* A range coder whose tables follow from symbols already sent, bit for bit as
 * host/hil/codec/context.py, which says how. Rows only; `width` symbols a put, the channels of a
 * row in their order. Nothing of an earlier row has to stay with the caller: the scratch remembers
 * it, hil_context_scratch_bytes, 4-byte aligned.
 *
 * The table, in words (host/hil/codec/context.py, `words`):
 *   1          bytes that may have left before the first row, in the upper half: more for each row
 *   1          words before the even row, from the first row of frequencies on
 *   4          a channel: first source, second source, row source, zero frequency of quiet groups,
 *              zero frequencies of rows in their four contexts, halfwords all
 *   32         a channel: where the row of each of 64 contexts begins, in words, halfwords all
 *   alphabet   a row of frequencies: cumulative frequency in the upper half, frequency in the lower
 */
#include "hil_coder.h"
#include "hil_symbols.h"

#define BOTTOM   (1U << 16)
#define TOTAL    (1U << HIL_RANGE_BITS)
#define CONTEXTS (HIL_CONTEXT_LEVELS * HIL_CONTEXT_LEVELS)

_Static_assert(HIL_CONTEXT_LEVELS == 8U, "a context is two fields of three bits");

typedef struct {
    uint16_t first, second, beside, quiet_zeros, row_zeros[4];
} channel_t;

/* What changes within a row, in registers. The lower end has a carry above its 32 bits. */
typedef struct {
    uint64_t low;
    uint32_t range;
    uint8_t *at;
    const uint8_t *end;
} interval_t;

/* Adds one to the number written so far. It stays below 1, so some byte is not 255. */
static __attribute__((noinline)) void carry(uint8_t *at) {
    do {
        at--;
    } while (++*at == 0U);
}

static inline int normalise(interval_t *now) {
    if (now->range >= BOTTOM) {
        return 0;
    }
    if (now->end - now->at < 2) {
        return -1;
    }
    if (now->low >> 32 != 0U) {
        carry(now->at);
    }
    const uint16_t bytes = __builtin_bswap16((uint16_t)(now->low >> 16));
    memcpy(now->at, &bytes, sizeof bytes);
    now->at += sizeof bytes;
    now->low = (uint32_t)now->low << 16;
    now->range <<= 16;
    return 0;
}

static inline int encode_symbol(interval_t *now, uint32_t entry) {
    const uint32_t step = now->range >> HIL_RANGE_BITS;
    now->low += (uint64_t)step * (entry >> 16);
    now->range = step * (entry & 0xFFFFU);
    return normalise(now);
}

static inline int encode_zero(interval_t *now, uint32_t zeros) {
    now->range = (now->range >> HIL_RANGE_BITS) * zeros;
    return normalise(now);
}

static inline int encode_other(interval_t *now, uint32_t zeros) {
    return encode_symbol(now, zeros << 16 | (TOTAL - zeros));
}

/* What a context sees of four symbols. */
static inline uint32_t levels(uint32_t four, uint32_t shift) {
    const uint32_t most = (HIL_CONTEXT_LEVELS - 1U) << shift, above = 255U - most;
    if (shift == 0U) {
        return four;
    }
    four = hil_add_saturated(four, above * 0x01010101U);
    four -= (above + 1U - (1U << shift)) * 0x01010101U;
    return four >> shift & (HIL_CONTEXT_LEVELS - 1U) * 0x01010101U;
}

typedef struct {
    const uint8_t *symbols, *first, *second;
    uint8_t *history;
    const uint16_t *contexts;
    const uint32_t *rows;
    uint32_t quiet_zeros, greatest, shift;
} row_t;

/* Four symbols, or the `count` that are left, which the other bytes of all words are 0 beyond. */
static inline int encode_group(interval_t *now, const row_t *row, uint32_t four, uint32_t context,
                               uint32_t count) {
    const uint32_t *const entries = row->rows;
    if (hil_has_foreign(four, row->greatest)) {
        return -1;
    }
    const uint32_t one = entries[row->contexts[context & 0xFFU] + (four & 0xFFU)];
    const uint32_t two = entries[row->contexts[context >> 8 & 0xFFU] + (four >> 8 & 0xFFU)];
    const uint32_t three = entries[row->contexts[context >> 16 & 0xFFU] + (four >> 16 & 0xFFU)];
    const uint32_t last = entries[row->contexts[context >> 24] + (four >> 24)];
    if (encode_symbol(now, one) < 0 || (count > 1U && encode_symbol(now, two) < 0) ||
        (count > 2U && encode_symbol(now, three) < 0) ||
        (count > 3U && encode_symbol(now, last) < 0)) {
        return -1;
    }
    return 0;
}

/* A row that is not all zero, whose second source is the symbol to the left, or is not. */
static inline int encode_row(interval_t *interval, const row_t *row, uint32_t width, int left) {
    interval_t now = *interval;
    uint32_t before = 0;
    for (uint32_t x = 0; x < width; x += 4U) {
        const uint32_t count = width - x < 4U ? width - x : 4U;
        const uint32_t four = count == 4U ? hil_four_symbols(row->symbols + x)
                                          : hil_few_symbols(row->symbols + x, count);
        const uint32_t first = hil_four_symbols(row->first + x);
        const uint32_t second = left ? before : hil_four_symbols(row->second + x);
        memcpy(row->history + x, &four, sizeof four);
        before = four >> 24;
        if ((first | second) == 0U) {
            if (four == 0U) {
                if (encode_zero(&now, row->quiet_zeros) < 0) {
                    return -1;
                }
                continue;
            }
            if (encode_other(&now, row->quiet_zeros) < 0) {
                return -1;
            }
        }
        const uint32_t beside = left ? four << 8 | second : second;
        const uint32_t context = levels(first, row->shift) << 3 | levels(beside, row->shift);
        if (encode_group(&now, row, four, context, count) < 0) {
            return -1;
        }
    }
    *interval = now;
    return 0;
}

static __attribute__((noinline)) int encode_beside_left(interval_t *interval, const row_t *row,
                                                        uint32_t width) {
    return encode_row(interval, row, width, 1);
}

static __attribute__((noinline)) int encode_beside_other(interval_t *interval, const row_t *row,
                                                         uint32_t width) {
    return encode_row(interval, row, width, 0);
}

/* By frequencies that know nothing. */
static __attribute__((noinline)) int encode_evenly(interval_t *now, const uint8_t *symbols,
                                                   uint8_t *history, uint32_t width,
                                                   const uint32_t *even, uint32_t alphabet) {
    for (uint32_t x = 0; x < width; x++) {
        if (symbols[x] >= alphabet || encode_symbol(now, even[symbols[x]]) < 0) {
            return -1;
        }
        history[x] = symbols[x];
    }
    return 0;
}

/* Bits of a symbol that a context does not see. */
static inline uint32_t shift_of(uint32_t alphabet) {
    return alphabet > HIL_CONTEXT_LEVELS ? 29U - (uint32_t)__builtin_clz(alphabet - 1U) : 0U;
}

static inline uint32_t stride_of(const hil_payload_format_t *format) {
    return (format->width + 3U) & ~3U;
}

uint32_t hil_context_scratch_bytes(const hil_payload_format_t *format) {
    return format->channels * (stride_of(format) + 1U);
}

/* The scratch: the latest row of each channel, then whether it has a symbol but 0. */
void hil_context_begin(hil_coder_t *coder, const hil_payload_format_t *format, void *scratch,
                       uint8_t *out, uint32_t capacity) {
    hil_coder_begin(coder, format, scratch, out, capacity);
    memset(scratch, 0, hil_context_scratch_bytes(format));
    coder->context.low = 0;
    coder->context.range = UINT32_MAX;
    coder->context.allowed = format->table[0] & 0xFFFFU;
}

static inline int is_zero(const uint8_t *symbols, uint32_t width) {
    uint32_t any = 0;
    for (; width >= 4U; width -= 4U, symbols += 4) {
        any |= hil_four_symbols(symbols);
    }
    return (any | hil_few_symbols(symbols, width)) == 0U;
}

int hil_context_put(hil_coder_t *coder, const uint8_t *symbols, uint32_t count, uint32_t channel) {
    const hil_payload_format_t *const format = coder->format;
    const uint32_t stride = stride_of(format), width = format->width, alphabet = format->alphabet;
    const uint32_t *const table = format->table;
    const channel_t *const about = (const channel_t *)(table + 2) + channel;
    const uint32_t *const contexts = table + 2 + 4U * format->channels + CONTEXTS / 2U * channel;
    const uint32_t *const rows = table + 2 + (4U + CONTEXTS / 2U) * format->channels;
    uint8_t *const seen = coder->scratch, *const live = seen + format->channels * stride;
    uint8_t *const history = seen + channel * stride;
    interval_t now = {coder->context.low, coder->context.range, coder->at, coder->end};
    const int even = (uint32_t)(now.at - coder->out) > coder->context.allowed;
    const int zero = is_zero(symbols, width);
    int status;
    coder->context.allowed += table[0] >> 16;
    if (even) {
        status = encode_evenly(&now, symbols, history, width, rows + table[1], alphabet);
    } else {
        const uint32_t zeros = about->row_zeros[live[channel] | live[about->beside] << 1];
        status = zero ? encode_zero(&now, zeros) : encode_other(&now, zeros);
        if (zero && live[channel] != 0U) {
            memset(history, 0, stride);
        } else if (!zero && status == 0) {
            const int left = about->second == HIL_CONTEXT_LEFT;
            const row_t row = {
                .symbols = symbols,
                .first = seen + about->first * stride,
                .second = left ? NULL : seen + about->second * stride,
                .history = history,
                .contexts = (const uint16_t *)contexts,
                .rows = rows,
                .quiet_zeros = about->quiet_zeros,
                .greatest = (alphabet - 1U) * 0x01010101U,
                .shift = shift_of(alphabet),
            };
            status = (left ? encode_beside_left : encode_beside_other)(&now, &row, width);
        }
    }
    live[channel] = !zero;
    if (status < 0 || count != width) {
        return hil_coder_refuse(coder);
    }
    coder->context.low = now.low;
    coder->context.range = now.range;
    coder->at = now.at;
    return 0;
}

/* The shortest number that stays in the interval whatever follows it. */
int32_t hil_context_finish(hil_coder_t *coder) {
    const uint32_t low = (uint32_t)coder->context.low, range = coder->context.range;
    uint32_t bytes = 1, unit = 1U << 24;
    while (bytes < 3U && (-low & (unit - 1U)) + unit > range) {
        bytes++;
        unit >>= 8;
    }
    const uint64_t end = coder->context.low + (-low & (unit - 1U));
    if (coder->failed || (uint32_t)(coder->end - coder->at) < bytes) {
        return -1;
    }
    if (end >> 32 != 0U) {
        carry(coder->at);
    }
    for (uint32_t shift = 24; bytes != 0U; bytes--, shift -= 8U) {
        *coder->at++ = (uint8_t)(end >> shift);
    }
    return (int32_t)(coder->at - coder->out);
}
