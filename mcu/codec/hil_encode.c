#include "hil_encode.h"

#include <string.h>

#include "hil_huffman.h"
#include "hil_lz4.h"
#include "hil_lzw.h"
#include "hil_range.h"
#include "hil_wire.h"

static int32_t store(const uint8_t *symbols, uint32_t count, uint8_t *out, uint32_t capacity) {
    if (count > capacity) {
        return -1;
    }
    memmove(out, symbols, count);
    return (int32_t)count;
}

int32_t hil_encode(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                   uint8_t *out, uint32_t capacity) {
    const uint32_t count = format->pixels * format->channels;
    switch (format->codec) {
    case HIL_CODEC_NONE:
        return store(symbols, count, out, capacity);
    case HIL_CODEC_LZW:
        return hil_lzw_encode(symbols, count, format->alphabet, scratch, out, capacity);
    case HIL_CODEC_RANGE:
        return hil_range_encode(format, symbols, out, capacity);
    case HIL_CODEC_HUFFMAN:
        return hil_huffman_encode(format, symbols, out, capacity);
    case HIL_CODEC_LZ4:
        return hil_lz4_encode(symbols, count, scratch, out, capacity);
    default:
        return -1;
    }
}
