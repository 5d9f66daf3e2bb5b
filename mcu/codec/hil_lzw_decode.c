#include "hil_lzw.h"

/* An entry is one word: the code of all symbols but the last (12 bits), the last symbol (8), the
 * first symbol (8). A phrase comes out last symbol first and is turned around where it lies. */
#define PREFIX(entry) ((entry)&0xFFFU)
#define LAST(entry)   (((entry) >> 12) & 0xFFU)
#define FIRST(entry)  (((entry) >> 20) & 0xFFU)

typedef struct {
    const uint8_t *bytes;
    uint32_t size, at;
    uint32_t bits, bit_count;
} reader_t;

/* The next code, or -1 at the end. */
static int32_t take(reader_t *reader, uint32_t width) {
    while (reader->bit_count < width) {
        if (reader->at == reader->size) {
            return -1;
        }
        reader->bits |= (uint32_t)reader->bytes[reader->at++] << reader->bit_count;
        reader->bit_count += 8U;
    }
    const uint32_t code = reader->bits & ((1U << width) - 1U);
    reader->bits >>= width;
    reader->bit_count -= width;
    return (int32_t)code;
}

static void reverse(uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count / 2U; i++) {
        const uint8_t kept = bytes[i];
        bytes[i] = bytes[count - 1U - i];
        bytes[count - 1U - i] = kept;
    }
}

/* Writes the phrase of `code`; returns its length, or 0 when it has more than `room` symbols. */
static uint32_t expand(const uint32_t *table, uint32_t alphabet, uint32_t code, uint8_t *out,
                       uint32_t room) {
    for (uint32_t length = 0; length < room; code = PREFIX(table[code])) {
        out[length++] = (uint8_t)LAST(table[code]);
        if (code < alphabet) {
            reverse(out, length);
            return length;
        }
    }
    return 0;
}

int32_t hil_lzw_decode(const uint8_t *bytes, uint32_t size, uint32_t count, uint32_t alphabet,
                       void *scratch, uint8_t *symbols) {
    uint32_t *const table = scratch;
    if (alphabet < 2U || alphabet > 256U) {
        return -1;
    }
    for (uint32_t code = 0; code < alphabet; code++) {
        table[code] = code << 12 | code << 20;
    }
    reader_t reader = {.bytes = bytes, .size = size};
    /* `limit` sets the width: it grows with every code, `known` with every code but the first. */
    uint32_t known = alphabet, limit = alphabet, previous = 0, done = 0;
    while (done < count) {
        const int32_t taken = take(&reader, hil_lzw_width(limit));
        const uint32_t code = (uint32_t)taken;
        const int grows = done != 0U && known < HIL_LZW_ENTRIES;
        if (taken < 0 || code > known || (code == known && !grows)) {
            return -1;
        }
        limit += limit < HIL_LZW_ENTRIES;
        if (grows) {
            /* A code that is only being made stands for the previous phrase and its first. */
            const uint32_t last = FIRST(table[code == known ? previous : code]);
            table[known++] = previous | last << 12 | FIRST(table[previous]) << 20;
        }
        const uint32_t length = expand(table, alphabet, code, symbols + done, count - done);
        if (length == 0U) {
            return -1;
        }
        done += length;
        previous = code;
    }
    return reader.at == size && reader.bits == 0U ? 0 : -1;
}
