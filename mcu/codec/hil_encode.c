#include "hil_encode.h"

#include "hil_coder.h"
#include "hil_lz4.h"
#include "hil_wire.h"

int32_t hil_encode_none(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                        uint8_t *out, uint32_t capacity) {
    return hil_encode_runs(format, symbols, scratch, out, capacity, hil_none_begin, hil_none_put,
                           hil_none_finish);
}

int32_t hil_encode_lzw(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                       uint8_t *out, uint32_t capacity) {
    return hil_encode_runs(format, symbols, scratch, out, capacity, hil_lzw_begin, hil_lzw_put,
                           hil_lzw_finish);
}

int32_t hil_encode_range(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                         uint8_t *out, uint32_t capacity) {
    return hil_encode_runs(format, symbols, scratch, out, capacity, hil_range_begin, hil_range_put,
                           hil_range_finish);
}

int32_t hil_encode_huffman(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                           uint8_t *out, uint32_t capacity) {
    return hil_encode_runs(format, symbols, scratch, out, capacity, hil_huffman_begin,
                           hil_huffman_put, hil_huffman_finish);
}

int32_t hil_encode_context(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                           uint8_t *out, uint32_t capacity) {
    const uint32_t row = (uint32_t)format->width * format->channels;
    const uint8_t *const end = symbols + format->pixels * format->channels;
    hil_coder_t coder;
    hil_context_begin(&coder, format, scratch, out, capacity);
    for (; symbols < end; symbols += row) {
        if (hil_context_put(&coder, symbols, row, 0) < 0) {
            return -1;
        }
    }
    return hil_context_finish(&coder);
}

int32_t hil_encode_lz4(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                       uint8_t *out, uint32_t capacity) {
    return hil_lz4_encode(symbols, format->pixels * format->channels, scratch, out, capacity);
}

int32_t hil_encode(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                   uint8_t *out, uint32_t capacity) {
    static hil_encoder_t *const encoders[] = {
        [HIL_CODEC_NONE] = hil_encode_none,   [HIL_CODEC_LZW] = hil_encode_lzw,
        [HIL_CODEC_RANGE] = hil_encode_range, [HIL_CODEC_HUFFMAN] = hil_encode_huffman,
        [HIL_CODEC_LZ4] = hil_encode_lz4,     [HIL_CODEC_CONTEXT] = hil_encode_context,
    };
    if (format->codec >= sizeof encoders / sizeof encoders[0]) {
        return -1;
    }
    return encoders[format->codec](format, symbols, scratch, out, capacity);
}
