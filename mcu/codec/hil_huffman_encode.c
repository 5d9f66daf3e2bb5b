/* Static canonical Huffman with a code for every channel, bit for bit as host/hil/codec/huffman.py,
 * which says how codes follow from lengths. The table: length in the upper half of a word, code in
 * the lower. No scratch. */
#include <string.h>

#include "hil_coder.h"
#include "hil_symbols.h"
#include "hil_wire.h"

_Static_assert(HIL_HUFFMAN_LENGTH_MAX <= 16U, "15 bits that wait and one code fit a word");

/* What changes within a run, in registers. Fewer than 16 bits wait before a symbol. */
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

/* One run. Four entries are loaded before the first is needed. Not inlined, or GCC adds the row to
 * every symbol. */
static __attribute__((noinline)) int encode_run(writer_t *writer, const uint8_t *symbols,
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

void hil_huffman_begin(hil_coder_t *coder, const hil_payload_format_t *format, void *scratch,
                       uint8_t *out, uint32_t capacity) {
    hil_coder_begin(coder, format, scratch, out, capacity);
    coder->pending.bits = 0;
    coder->pending.count = 0;
}

int hil_huffman_put(hil_coder_t *coder, const uint8_t *symbols, uint32_t count, uint32_t channel) {
    const uint32_t alphabet = coder->format->alphabet;
    const uint32_t *const row = coder->format->table + channel * alphabet;
    writer_t writer = {coder->pending.bits, coder->pending.count, coder->at, coder->end};
    if (encode_run(&writer, symbols, count, row, alphabet) < 0) {
        return hil_coder_refuse(coder);
    }
    coder->pending.bits = writer.bits;
    coder->pending.count = writer.count;
    coder->at = writer.at;
    return 0;
}

/* What is left, filled with zeros. */
int32_t hil_huffman_finish(hil_coder_t *coder) {
    const uint32_t count = coder->pending.count;
    uint32_t rest = coder->pending.bits << (16U - count);
    for (uint32_t bits = 0; bits < count; bits += 8U) {
        if (coder->at == coder->end) {
            return -1;
        }
        *coder->at++ = (uint8_t)(rest >> 8);
        rest <<= 8;
    }
    return coder->failed ? -1 : (int32_t)(coder->at - coder->out);
}
