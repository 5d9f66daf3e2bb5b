#include "hil_lzw.h"

#include <string.h>

#include "hil_coder.h"

/*
 * The table is a tree: a code's children are its phrase with one symbol more. An entry is one
 * word: first child (12 bits), next sibling (12), symbol (8). Code 0 is a root, never a child, so
 * 0 ends a list. A new child goes second: the first one was met first and is mostly the likeliest.
 * A run of the commonest symbol thus costs one load and one comparison for every symbol, and a
 * table needs no clearing beyond the alphabet.
 */
_Static_assert(HIL_LZW_SCRATCH_BYTES == 4U * HIL_LZW_ENTRIES, "one word for every code");
_Static_assert(HIL_LZW_WIDTH_MAX == 12U, "two codes and a symbol fill a word");

#define CHILD(entry)  ((entry)&0xFFFU)
#define NEXT(entry)   (((entry) >> 12) & 0xFFFU)
#define SYMBOL(entry) ((entry) >> 24)

static inline int send(hil_coder_t *coder, uint32_t code) {
    coder->phrase.bits |= code << coder->phrase.bit_count;
    coder->phrase.bit_count += hil_lzw_width(coder->phrase.codes);
    coder->phrase.codes += coder->phrase.codes < HIL_LZW_ENTRIES;
    while (coder->phrase.bit_count >= 8U) {
        if (coder->at == coder->end) {
            return -1;
        }
        *coder->at++ = (uint8_t)coder->phrase.bits;
        coder->phrase.bits >>= 8;
        coder->phrase.bit_count -= 8U;
    }
    return 0;
}

static void add(uint32_t *table, uint32_t prefix, uint32_t code, uint32_t symbol) {
    const uint32_t first = CHILD(table[prefix]);
    if (first == 0U) {
        table[prefix] |= code;
        table[code] = symbol << 24;
    } else {
        table[code] = (table[first] & 0xFFF000U) | symbol << 24;
        table[first] = (table[first] & ~0xFFF000U) | code << 12;
    }
}

/* Walks from `prefix` along the symbols as far as the tree goes; moves `*at` behind the last one
 * that it knows and returns their code. */
static inline uint32_t longest(const uint32_t *table, uint32_t prefix, const uint8_t **at,
                               const uint8_t *end) {
    const uint8_t *symbol = *at;
    uint32_t entry = table[prefix];
    for (; symbol < end; symbol++) {
        const uint32_t wanted = *symbol;
        uint32_t code = CHILD(entry);
        for (; code != 0U; code = NEXT(entry)) {
            entry = table[code];
            if (SYMBOL(entry) == wanted) {
                break;
            }
        }
        if (code == 0U) {
            break;
        }
        prefix = code;
    }
    *at = symbol;
    return prefix;
}

void hil_lzw_begin(hil_coder_t *coder, const hil_payload_format_t *format, void *scratch,
                   uint8_t *out, uint32_t capacity) {
    const uint32_t alphabet = format->alphabet;
    hil_coder_begin(coder, format, scratch, out, capacity);
    coder->phrase.bits = 0;
    coder->phrase.bit_count = 0;
    coder->phrase.codes = alphabet;
    coder->phrase.next_code = alphabet;
    coder->phrase.prefix = -1;
    if (alphabet < 2U || alphabet > 256U) {
        coder->failed = 1;
    } else {
        memset(scratch, 0, alphabet * sizeof(uint32_t));
    }
}

/* The working copy's words stay in registers. */
int hil_lzw_put(hil_coder_t *coder, const uint8_t *symbols, uint32_t count, uint32_t channel) {
    hil_coder_t now = *coder;
    uint32_t *const table = now.scratch;
    const uint32_t alphabet = now.format->alphabet;
    const uint8_t *at = symbols, *const end = symbols + count;
    (void)channel;
    if (now.phrase.prefix < 0 && at < end) {
        if (now.failed || *at >= alphabet) {
            return hil_coder_refuse(coder);
        }
        now.phrase.prefix = *at++;
    }
    while (at < end) {
        const uint32_t prefix = longest(table, (uint32_t)now.phrase.prefix, &at, end);
        now.phrase.prefix = (int32_t)prefix;
        if (at == end) {
            break;
        }
        if (*at >= alphabet || send(&now, prefix) < 0) {
            return hil_coder_refuse(coder);
        }
        if (now.phrase.next_code < HIL_LZW_ENTRIES) {
            add(table, prefix, now.phrase.next_code++, *at);
        }
        now.phrase.prefix = *at++;
    }
    *coder = now;
    return 0;
}

int32_t hil_lzw_finish(hil_coder_t *coder) {
    if (coder->failed ||
        (coder->phrase.prefix >= 0 && send(coder, (uint32_t)coder->phrase.prefix) < 0)) {
        return -1;
    }
    if (coder->phrase.bit_count != 0U) {
        if (coder->at == coder->end) {
            return -1;
        }
        *coder->at++ = (uint8_t)coder->phrase.bits;
    }
    return (int32_t)(coder->at - coder->out);
}

int32_t hil_lzw_encode(const uint8_t *symbols, uint32_t count, uint32_t alphabet, void *scratch,
                       uint8_t *out, uint32_t capacity) {
    const hil_payload_format_t format = {.alphabet = (uint16_t)alphabet};
    hil_coder_t coder;
    hil_lzw_begin(&coder, &format, scratch, out, capacity);
    return hil_lzw_put(&coder, symbols, count, 0) < 0 ? -1 : hil_lzw_finish(&coder);
}
