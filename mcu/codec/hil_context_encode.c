/* A range coder whose tables follow from symbols already sent, bit for bit as
 * host/hil/codec/context.py, which says how. Rows only; `width` symbols a put, the channels of a
 * row in their order. Nothing of an earlier row has to stay with the caller: the scratch remembers
 * it, hil_context_scratch_bytes, 4-byte aligned.
 *
 * The table, in words (host/hil/codec/context.py, `words`):
 *   1          bytes that may have left before the first row; in the upper half more for each row
 *   1          shift of a level; in the upper half number of tables
 *   5          a channel: channel_t
 *   16 A       a table, for an alphabet of A symbols: for each symbol and in it for each context,
 *              cumulative frequency in the upper half, frequency in the lower
 *   A          the same for symbols of which nothing is known
 */
#include "hil_coder.h"
#include "hil_symbols.h"

#define BOTTOM   (1U << 16)
#define TOTAL    (1U << HIL_RANGE_BITS)
#define CONTEXTS (HIL_CONTEXT_LEVELS * HIL_CONTEXT_LEVELS)
/* Is computed before what follows: the next symbol waits for it. */
#define FIRST(value) __asm__("" : "+r"(value))
#define INLINE       static inline __attribute__((always_inline))
#define NOINLINE     static __attribute__((noinline))

_Static_assert(HIL_CONTEXT_LEVELS == 4U, "a context is two fields of two bits");
_Static_assert(HIL_CONTEXT_ALPHABET_MAX == 16U, "a context and a symbol are a byte");

/* Words before the rows of its sources in the scratch, the channel whose row tells of this one,
 * words before its table; zero frequencies of rows in their four contexts, and of quiet groups. */
typedef struct {
    uint16_t first, second, beside, table, row_zeros[4], quiet_zeros, unused;
} channel_t;

/* What changes within a row, in registers. The lower end has a carry above its 32 bits. */
typedef struct {
    uint64_t low;
    uint32_t range;
    uint8_t *at;
    const uint8_t *end;
} interval_t;

INLINE interval_t interval_of(const hil_coder_t *coder) {
    return (interval_t){coder->context.low, coder->context.range, coder->at, coder->end};
}

INLINE void keep(hil_coder_t *coder, interval_t now) {
    coder->context.low = now.low;
    coder->context.range = now.range;
    coder->at = now.at;
}

/* Adds one to the number written so far. It stays below 1, so some byte is not 255. */
NOINLINE void carry(uint8_t *at) {
    do {
        at--;
    } while (++*at == 0U);
}

/* Two bytes leave where the range is narrow. */
INLINE int normalise(interval_t *now) {
    if (__builtin_expect(now->range >= BOTTOM, 1)) {
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

INLINE int encode_symbol(interval_t *now, uint32_t entry) {
    const uint32_t step = now->range >> HIL_RANGE_BITS, size = entry & 0xFFFFU;
    now->range = step * size;
    FIRST(now->range);
    now->low += (uint64_t)step * (entry >> 16);
    return normalise(now);
}

/* Whether all of some symbols are zero, as they are `zeros` times in TOTAL. */
INLINE int encode_flag(interval_t *now, uint32_t zeros, int zero) {
    return encode_symbol(now, zero ? zeros : zeros << 16 | (TOTAL - zeros));
}

/* What a context sees of four symbols. The low bits of a sum that saturates are those of the
 * symbol, or all ones where it is greater. */
INLINE uint32_t levels(uint32_t four, uint32_t above, uint32_t shift) {
    return hil_add_saturated(four, above) >> shift & (HIL_CONTEXT_LEVELS - 1U) * 0x01010101U;
}

/* Where in its table each symbol of a row is, a byte: its context, and above that itself. `own`
 * then has what a context sees of the row. `left`: the second source is the symbol to the left. */
INLINE uint32_t find_places(const hil_coder_t *coder, const uint8_t *symbols,
                            const channel_t *about, uint32_t *own, int left) {
    const uint32_t shift = coder->context.shift;
    const uint32_t above = (256U - (HIL_CONTEXT_LEVELS << shift)) * 0x01010101U;
    const uint32_t *const seen_of = coder->scratch;
    const uint32_t *first = seen_of + about->first, *second = seen_of + about->second;
    uint32_t *places = coder->context.places, before = 0, any = 0;
    const uint32_t *const end = places + coder->context.words;
    while (places != end) {
        const uint32_t four = hil_four_symbols(symbols);
        const uint32_t seen = levels(four, above, shift);
        const uint32_t beside = left ? seen << 8 | before : *second++;
        *places++ = four << 4 | *first++ << 2 | beside; /* `first` may be `own` */
        *own++ = seen;
        before = seen >> 24;
        any |= four;
        symbols += 4;
    }
    return any;
}

NOINLINE uint32_t find_places_beside(const hil_coder_t *coder, const uint8_t *symbols,
                                     const channel_t *about, uint32_t *own) {
    return find_places(coder, symbols, about, own, 0);
}

NOINLINE uint32_t find_places_left(const hil_coder_t *coder, const uint8_t *symbols,
                                   const channel_t *about, uint32_t *own) {
    return find_places(coder, symbols, about, own, 1);
}

/* The bits of four contexts that are 0 in a quiet group: levels to the left that lie within it are
 * what they are. */
INLINE uint32_t quiet_mask(const channel_t *about) {
    return about->second == HIL_CONTEXT_LEFT ? 0x0C0C0C0FU : 0x0F0F0F0FU;
}

/* The symbols of a row that is not all zero, of which only those in whole words. Each entry is
 * loaded while the one before it is encoded. */
NOINLINE int encode_row(hil_coder_t *coder, const channel_t *about, uint32_t width) {
    const uint32_t *places = coder->context.places;
    const uint32_t *const entries = coder->context.tables + about->table, *const end =
                                                                              places + width / 4U;
    const uint32_t mask = quiet_mask(about), quiet_zeros = about->quiet_zeros;
    interval_t now = interval_of(coder);
    for (; places != end; places++) {
        const uint32_t four = *places;
        if ((four & mask) == 0U) {
            const int zero = (four & 0xF0F0F0F0U) == 0U;
            if (encode_flag(&now, quiet_zeros, zero) < 0) {
                return -1;
            }
            if (zero) {
                continue;
            }
        }
        const uint32_t one = entries[four & 0xFFU];
        const uint32_t two = entries[four >> 8 & 0xFFU];
        if (encode_symbol(&now, one) < 0) {
            return -1;
        }
        const uint32_t three = entries[four >> 16 & 0xFFU];
        if (encode_symbol(&now, two) < 0) {
            return -1;
        }
        const uint32_t last = entries[four >> 24];
        if (encode_symbol(&now, three) < 0 || encode_symbol(&now, last) < 0) {
            return -1;
        }
    }
    keep(coder, now);
    return 0;
}

/* The `count` symbols of the word behind them. */
NOINLINE int encode_rest(hil_coder_t *coder, const channel_t *about, uint32_t width) {
    const uint32_t count = width & 3U, *const entries = coder->context.tables + about->table;
    const uint32_t known = 0xFFFFFFFFU >> (32U - 8U * count);
    uint32_t places = coder->context.places[width / 4U] & known;
    interval_t now = interval_of(coder);
    if ((places & quiet_mask(about)) == 0U) {
        const int zero = (places & 0xF0F0F0F0U) == 0U;
        if (encode_flag(&now, about->quiet_zeros, zero) < 0) {
            return -1;
        }
        if (zero) {
            keep(coder, now);
            return 0;
        }
    }
    for (uint32_t i = 0; i < count; i++, places >>= 8) {
        if (encode_symbol(&now, entries[places & 0xFFU]) < 0) {
            return -1;
        }
    }
    keep(coder, now);
    return 0;
}

/* A row by frequencies that know nothing. */
NOINLINE int encode_evenly(hil_coder_t *coder, const uint8_t *symbols, uint32_t width) {
    const hil_payload_format_t *const format = coder->format;
    const uint32_t tables = format->table[1] >> 16;
    const uint32_t *const even = coder->context.tables + tables * CONTEXTS * format->alphabet;
    interval_t now = interval_of(coder);
    for (uint32_t x = 0; x < width; x++) {
        if (encode_symbol(&now, even[symbols[x]]) < 0) {
            return -1;
        }
    }
    keep(coder, now);
    return 0;
}

INLINE uint32_t words_of(const hil_payload_format_t *format) {
    return (format->width + 3U) / 4U;
}

INLINE const channel_t *channels_of(const hil_payload_format_t *format) {
    return (const channel_t *)(format->table + 2);
}

uint32_t hil_context_scratch_bytes(const hil_payload_format_t *format) {
    return (format->channels + 2U) * words_of(format) * 4U + format->channels;
}

/* The scratch: what a context sees of the latest row of each channel; the places of a row, and a
 * row whose end is filled with zeros; whether the latest row of each channel has a symbol but 0. */
void hil_context_begin(hil_coder_t *coder, const hil_payload_format_t *format, void *scratch,
                       uint8_t *out, uint32_t capacity) {
    hil_coder_begin(coder, format, scratch, out, capacity);
    memset(scratch, 0, hil_context_scratch_bytes(format));
    coder->context.low = 0;
    coder->context.range = UINT32_MAX;
    coder->context.limit = out + (format->table[0] & 0xFFFFU);
    coder->context.each = format->table[0] >> 16;
    coder->context.shift = format->table[1] & 0xFFFFU;
    coder->context.words = words_of(format);
    coder->context.places = (uint32_t *)scratch + format->channels * words_of(format);
    coder->context.live = (uint8_t *)(coder->context.places + 2U * words_of(format));
    coder->context.tables = (const uint32_t *)(channels_of(format) + format->channels);
}

/* Whether one of the symbols, whose bits are in `any` together, is not below the alphabet. */
INLINE int is_foreign(const uint8_t *symbols, uint32_t width, uint32_t alphabet, uint32_t any) {
    const uint32_t most = alphabet - 1U;
    any |= any >> 16;
    any |= any >> 8;
    if ((any & 0xFFU) <= most && (alphabet & most) == 0U) {
        return 0;
    }
    for (uint32_t x = 0; x < width; x++) {
        if (symbols[x] > most) {
            return 1;
        }
    }
    return 0;
}

/* A row that is not all zero, after its flag; `over` the budget it is coded evenly. */
INLINE int put_live(hil_coder_t *coder, const uint8_t *symbols, const channel_t *about,
                    uint32_t *own, int over) {
    const uint32_t width = coder->format->width;
    if ((width & 3U) != 0U) {
        symbols = memcpy(coder->context.places + coder->context.words, symbols, width);
    }
    const uint32_t any = about->second == HIL_CONTEXT_LEFT
                             ? find_places_left(coder, symbols, about, own)
                             : find_places_beside(coder, symbols, about, own);
    if (any == 0U || is_foreign(symbols, width, coder->format->alphabet, any)) {
        return -1;
    }
    if (over) {
        return encode_evenly(coder, symbols, width);
    }
    if (encode_row(coder, about, width) < 0) {
        return -1;
    }
    return (width & 3U) == 0U ? 0 : encode_rest(coder, about, width);
}

/* A row for which the short way does not do. */
NOINLINE int put_row(hil_coder_t *coder, const uint8_t *symbols, const channel_t *about,
                     uint32_t channel, int zero, uint32_t zeros) {
    uint8_t *const live = coder->context.live + channel;
    uint32_t *const own = (uint32_t *)coder->scratch + channel * coder->context.words;
    const int over = coder->at > coder->context.limit;
    interval_t now = interval_of(coder);
    if (encode_flag(&now, zeros, zero) < 0) {
        return -1;
    }
    keep(coder, now);
    *live = !zero;
    if (zero) {
        memset(own, 0, 4U * coder->context.words);
        return 0;
    }
    return put_live(coder, symbols, about, own, over);
}

INLINE int is_zero(const uint8_t *symbols, uint32_t width) {
#pragma GCC unroll 8
    for (; width >= 4U; width -= 4U, symbols += 4) {
        if (hil_four_symbols(symbols) != 0U) {
            return 0;
        }
    }
    return hil_few_symbols(symbols, width) == 0U;
}

/* The short way is that of a row of zeros below another one, which is likely and takes no bytes.
 * `idle` may be NULL: nothing is known. */
NOINLINE int put_rows(hil_coder_t *coder, const uint8_t *symbols, const uint8_t *idle,
                      uint32_t count, uint32_t channel) {
    const channel_t *about = channels_of(coder->format) + channel;
    const uint8_t *const live = coder->context.live;
    const uint32_t width = coder->format->width, each = coder->context.each;
    uint32_t range = coder->context.range;
    for (; count != 0U; count -= width, symbols += width, channel++, about++) {
        const int zero = idle != NULL ? idle[channel] != 0U : is_zero(symbols, width);
        const uint32_t zeros = about->row_zeros[live[channel] | live[about->beside] << 1];
        const uint32_t left = (range >> HIL_RANGE_BITS) * zeros;
        if (zero && live[channel] == 0U && left >= BOTTOM) {
            range = left;
        } else {
            coder->context.range = range;
            if (put_row(coder, symbols, about, channel, zero, zeros) < 0) {
                return hil_coder_refuse(coder);
            }
            range = coder->context.range;
        }
        coder->context.limit += each;
    }
    coder->context.range = range;
    return 0;
}

int hil_context_put(hil_coder_t *coder, const uint8_t *symbols, uint32_t count, uint32_t channel) {
    return put_rows(coder, symbols, NULL, count, channel);
}

int hil_context_put_row(hil_coder_t *coder, const uint8_t *symbols, const uint8_t *idle) {
    const hil_payload_format_t *const format = coder->format;
    return put_rows(coder, symbols, idle, (uint32_t)format->width * format->channels, 0);
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
