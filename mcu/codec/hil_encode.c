#include "hil_encode.h"

#include <string.h>

#include "hil_huffman.h"
#include "hil_lz4.h"
#include "hil_lzw.h"
#include "hil_range.h"
#include "hil_wire.h"

static uint32_t symbols_of(const hil_payload_format_t *format) {
    return format->pixels * format->channels;
}

int32_t hil_encode_none(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                        uint8_t *out, uint32_t capacity) {
    (void)scratch;
    if (symbols_of(format) > capacity) {
        return -1;
    }
    memmove(out, symbols, symbols_of(format));
    return (int32_t)symbols_of(format);
}

int32_t hil_encode_lzw(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                       uint8_t *out, uint32_t capacity) {
    return hil_lzw_encode(symbols, symbols_of(format), format->alphabet, scratch, out, capacity);
}

int32_t hil_encode_range(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                         uint8_t *out, uint32_t capacity) {
    (void)scratch;
    return hil_range_encode(format, symbols, out, capacity);
}

int32_t hil_encode_huffman(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                           uint8_t *out, uint32_t capacity) {
    (void)scratch;
    return hil_huffman_encode(format, symbols, out, capacity);
}

int32_t hil_encode_lz4(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                       uint8_t *out, uint32_t capacity) {
    return hil_lz4_encode(symbols, symbols_of(format), scratch, out, capacity);
}

int32_t hil_encode(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                   uint8_t *out, uint32_t capacity) {
    static hil_encoder_t *const encoders[] = {
        [HIL_CODEC_NONE] = hil_encode_none,   [HIL_CODEC_LZW] = hil_encode_lzw,
        [HIL_CODEC_RANGE] = hil_encode_range, [HIL_CODEC_HUFFMAN] = hil_encode_huffman,
        [HIL_CODEC_LZ4] = hil_encode_lz4,
    };
    if (format->codec >= sizeof encoders / sizeof encoders[0]) {
        return -1;
    }
    return encoders[format->codec](format, symbols, scratch, out, capacity);
}
