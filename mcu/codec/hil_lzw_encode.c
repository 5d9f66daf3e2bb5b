#include "hil_lzw.h"

#include <string.h>

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

typedef struct {
    uint8_t *out;
    uint32_t capacity, used;
    uint32_t bits, bit_count;
    uint32_t codes; /* codes the decoder can know by now: they set the width */
} writer_t;

static int put(writer_t *writer, uint32_t code) {
    writer->bits |= code << writer->bit_count;
    writer->bit_count += hil_lzw_width(writer->codes);
    writer->codes += writer->codes < HIL_LZW_ENTRIES;
    while (writer->bit_count >= 8U) {
        if (writer->used == writer->capacity) {
            return -1;
        }
        writer->out[writer->used++] = (uint8_t)writer->bits;
        writer->bits >>= 8;
        writer->bit_count -= 8U;
    }
    return 0;
}

static int32_t finish(writer_t *writer) {
    if (writer->bit_count != 0U) {
        if (writer->used == writer->capacity) {
            return -1;
        }
        writer->out[writer->used++] = (uint8_t)writer->bits;
    }
    return (int32_t)writer->used;
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

int32_t hil_lzw_encode(const uint8_t *symbols, uint32_t count, uint32_t alphabet, void *scratch,
                       uint8_t *out, uint32_t capacity) {
    uint32_t *const table = scratch;
    const uint8_t *at = symbols, *const end = symbols + count;
    if (alphabet < 2U || alphabet > 256U) {
        return -1;
    }
    memset(table, 0, alphabet * sizeof *table);
    writer_t writer = {.out = out, .capacity = capacity, .codes = alphabet};
    uint32_t next_code = alphabet;
    while (at < end) {
        const uint32_t root = *at++;
        if (root >= alphabet) {
            return -1;
        }
        const uint32_t prefix = longest(table, root, &at, end);
        if (put(&writer, prefix) < 0) {
            return -1;
        }
        if (at < end && next_code < HIL_LZW_ENTRIES) {
            add(table, prefix, next_code++, *at);
        }
    }
    return finish(&writer);
}
