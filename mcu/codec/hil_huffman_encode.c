#include "hil_huffman.h"

#include <string.h>

#include "hil_symbols.h"
#include "hil_wire.h"

_Static_assert(HIL_HUFFMAN_LENGTH_MAX <= 16U, "15 bits that wait and one code fit a word");

/* The newest `count` bits of `bits` are not written yet: fewer than 16 before a symbol. */
typedef struct {
    uint32_t bits, count;
    uint8_t *at;
    const uint8_t *end;
} writer_t;

/* Two bytes, the first bits first. */
static inline int put16(writer_t *writer) {
    if (writer->end - writer->at < 2) {
        return -1;
    }
    writer->count -= 16U;
    const uint16_t bytes = __builtin_bswap16((uint16_t)(writer->bits >> writer->count));
    memcpy(writer->at, &bytes, sizeof bytes);
    writer->at += sizeof bytes;
    return 0;
}

static inline int encode_symbol(writer_t *writer, uint32_t entry) {
    const uint32_t length = entry >> 16;
    writer->bits = writer->bits << length | (entry & 0xFFFFU);
    writer->count += length;
    return writer->count >= 16U ? put16(writer) : 0;
}

/* One channel. The working copy of `writer` stays in registers, and four entries are loaded before
 * the first is needed. Not inlined, or GCC adds the row to every symbol. */
static __attribute__((noinline)) int encode_channel(writer_t *writer, const uint8_t *symbols,
                                                    uint32_t count, const uint32_t *row,
                                                    uint32_t alphabet) {
    const uint32_t greatest = (alphabet - 1U) * 0x01010101U;
    writer_t now = *writer;
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
    *writer = now;
    return 0;
}

/* What is left, filled with zeros. */
static int finish(writer_t *writer) {
    uint32_t rest = writer->bits << (16U - writer->count);
    for (uint32_t bits = 0; bits < writer->count; bits += 8U) {
        if (writer->at == writer->end) {
            return -1;
        }
        *writer->at++ = (uint8_t)(rest >> 8);
        rest <<= 8;
    }
    return 0;
}

int32_t hil_huffman_encode(const hil_payload_format_t *format, const uint8_t *symbols, uint8_t *out,
                           uint32_t capacity) {
    const uint32_t pixels = format->pixels, alphabet = format->alphabet;
    writer_t writer = {.at = out, .end = out + capacity};
    for (uint32_t channel = 0; channel < format->channels; channel++) {
        if (encode_channel(&writer, symbols + channel * pixels, pixels,
                           format->table + channel * alphabet, alphabet) < 0) {
            return -1;
        }
    }
    return finish(&writer) < 0 ? -1 : (int32_t)(writer.at - out);
}
