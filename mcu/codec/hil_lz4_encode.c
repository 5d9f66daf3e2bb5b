#include <string.h>

#include "hil_lz4.h"

#define MATCH_MIN     4U
#define LAST_LITERALS 5U
#define LAST_MATCH    12U
#define MULTIPLIER    2654435761U

_Static_assert(HIL_LZ4_SCRATCH_BYTES == (2U << HIL_LZ4_HASH_BITS) + HIL_SHUFFLE_BLOCK,
               "a position for every hash, then a block");

typedef struct {
    uint8_t *at;
    const uint8_t *end;
} writer_t;

static inline uint32_t word_at(const uint8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static int put(writer_t *writer, uint32_t byte) {
    if (writer->at == writer->end) {
        return -1;
    }
    *writer->at++ = (uint8_t)byte;
    return 0;
}

/* What of a length its four bits in the token do not hold. */
static int extend(writer_t *writer, uint32_t length) {
    if (length < 15U) {
        return 0;
    }
    for (length -= 15U; length >= 255U; length -= 255U) {
        if (put(writer, 255U) < 0) {
            return -1;
        }
    }
    return put(writer, length);
}

/* Token, length of the literals, literals. */
static int put_literals(writer_t *writer, const uint8_t *literals, uint32_t count, uint32_t match) {
    const uint32_t high = count < 15U ? count : 15U;
    const uint32_t low = match - MATCH_MIN < 15U ? match - MATCH_MIN : 15U;
    if (put(writer, high << 4 | low) < 0 || extend(writer, count) < 0 ||
        (uint32_t)(writer->end - writer->at) < count) {
        return -1;
    }
    memcpy(writer->at, literals, count);
    writer->at += count;
    return 0;
}

static int put_match(writer_t *writer, uint32_t offset, uint32_t length) {
    if (put(writer, offset & 0xFFU) < 0 || put(writer, offset >> 8) < 0) {
        return -1;
    }
    return extend(writer, length - MATCH_MIN);
}

static uint32_t match_length(const uint8_t *one, const uint8_t *other, uint32_t room) {
    uint32_t length = MATCH_MIN;
    while (length < room && one[length] == other[length]) {
        length++;
    }
    return length;
}

int32_t hil_lz4_encode(uint8_t *symbols, uint32_t count, void *scratch, uint8_t *out,
                       uint32_t capacity) {
    uint16_t *const latest = scratch;
    writer_t writer = {.at = out, .end = out + capacity};
    uint32_t anchor = 0, at = 0;
    if (count > HIL_LZ4_SYMBOLS_MAX) {
        return -1;
    }
    hil_shuffle(symbols, count, (uint8_t *)scratch + (2U << HIL_LZ4_HASH_BITS));
    memset(latest, 0, 2U << HIL_LZ4_HASH_BITS);
    while (at + LAST_MATCH <= count) {
        const uint32_t word = word_at(symbols + at);
        const uint32_t key = word * MULTIPLIER >> (32U - HIL_LZ4_HASH_BITS);
        const uint32_t candidate = latest[key];
        latest[key] = (uint16_t)at;
        if (candidate == at || word_at(symbols + candidate) != word) {
            at++;
            continue;
        }
        const uint32_t length =
            match_length(symbols + candidate, symbols + at, count - LAST_LITERALS - at);
        if (put_literals(&writer, symbols + anchor, at - anchor, length) < 0 ||
            put_match(&writer, at - candidate, length) < 0) {
            return -1;
        }
        at += length;
        anchor = at;
    }
    if (put_literals(&writer, symbols + anchor, count - anchor, MATCH_MIN) < 0) {
        return -1;
    }
    return (int32_t)(writer.at - out);
}
