/* Symbols and their codes, by every codec and in every way that the firmware gives them. */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "hil_coder.h"
#include "hil_encode.h"
#include "messages.h"
#include "quantise.h"

typedef struct {
    hil_begin_t *begin;
    hil_put_t *put;
    hil_finish_t *finish;
} stream_t;

static const stream_t streams[] = {
    [HIL_CODEC_NONE] = {hil_none_begin, hil_none_put, hil_none_finish},
    [HIL_CODEC_LZW] = {hil_lzw_begin, hil_lzw_put, hil_lzw_finish},
    [HIL_CODEC_RANGE] = {hil_range_begin, hil_range_put, hil_range_finish},
    [HIL_CODEC_HUFFMAN] = {hil_huffman_begin, hil_huffman_put, hil_huffman_finish},
    [HIL_CODEC_CONTEXT] = {hil_context_begin, hil_context_put, hil_context_finish},
};

/* Run by run, each from a buffer of its own that is gone when the next one
 * comes, and on after a refusal. What is said to be settled must not change any
 * more. */
static int32_t encode_stream(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                             uint8_t *out, uint32_t capacity) {
    const stream_t stream = streams[format->codec];
    const uint32_t length = hil_run_length(format);
    uint8_t *const settled = malloc(capacity + 1);
    uint32_t settled_count = 0;
    int refused = 0;
    hil_coder_t coder;
    stream.begin(&coder, format, scratch, out, capacity);
    for (uint32_t run = 0; run * length < format->pixels * format->channels; run++) {
        uint8_t *const own = copy(symbols + run * length, length);
        refused |= stream.put(&coder, own, length, run % format->channels) < 0;
        free(own);
        settled_count = hil_coder_settled(&coder);
        memcpy(settled, out, settled_count);
    }
    const int32_t encoded = stream.finish(&coder);
    if ((refused && encoded >= 0) || (encoded >= 0 && memcmp(settled, out, settled_count) != 0)) {
        abort();
    }
    free(settled);
    return encoded;
}

/* The context coder by a row of all channels a call, which is told what is all zero. */
static int32_t encode_rows(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                           uint8_t *out, uint32_t capacity) {
    const uint32_t width = format->width, row = width * format->channels;
    uint8_t *const idle = malloc(format->channels);
    hil_coder_t coder;
    hil_context_begin(&coder, format, scratch, out, capacity);
    for (uint32_t begin = 0; begin < format->pixels * format->channels; begin += row) {
        for (uint32_t channel = 0; channel < format->channels; channel++) {
            idle[channel] = 1;
            for (uint32_t x = 0; x < width; x++) {
                idle[channel] &= symbols[begin + channel * width + x] == 0;
            }
        }
        uint8_t *const own = copy(symbols + begin, row);
        (void)hil_context_put_row(&coder, own, idle);
        free(own);
    }
    free(idle);
    return hil_context_finish(&coder);
}

/* pixels, channels, alphabet, codec, capacity, bytes of scratch, words of the
 * table, order, width, how it gets the symbols: at once, run by run, row by row; the table, the
 * symbols. */
void encode_payload(const uint8_t *bytes, uint32_t count) {
    const uint32_t capacity = hil_get32(bytes + 16), words = hil_get32(bytes + 24);
    uint32_t *const table = copy(bytes + 40, 4 * words);
    uint8_t *const symbols = copy(bytes + 40 + 4 * words, count - 40 - 4 * words);
    void *const scratch = malloc(hil_get32(bytes + 20) + 1);
    uint8_t *const out = malloc(capacity + 1);
    const hil_payload_format_t format = {
        .pixels = hil_get32(bytes),
        .channels = (uint16_t)hil_get32(bytes + 4),
        .alphabet = (uint16_t)hil_get32(bytes + 8),
        .codec = bytes[12],
        .order = bytes[28],
        .width = (uint16_t)hil_get32(bytes + 32),
        .table = table,
    };
    hil_encoder_t *const encoders[] = {hil_encode, encode_stream, encode_rows};
    const int32_t encoded =
        encoders[hil_get32(bytes + 36)](&format, symbols, scratch, out + 1, capacity);
    say32((uint32_t)encoded);
    say(out + 1, encoded < 0 ? 0 : (uint32_t)encoded);
    free(table);
    free(symbols);
    free(scratch);
    free(out);
}

/* pixels, feature channels, first channel, channels, order, width, the table,
 * the map. */
void quantise(const uint8_t *bytes, uint32_t count) {
    (void)count;
    const hil_payload_format_t format = {
        .pixels = hil_get32(bytes),
        .feature_channels = (uint16_t)hil_get32(bytes + 4),
        .channel_begin = (uint16_t)hil_get32(bytes + 8),
        .channels = (uint16_t)hil_get32(bytes + 12),
        .order = bytes[16],
        .width = (uint16_t)hil_get32(bytes + 20),
    };
    const uint32_t symbols = format.pixels * format.channels;
    uint8_t *const out = malloc(symbols + 1);
    hil_quantise((const int8_t *)bytes + 24 + 256, &format, bytes + 24, out + 1);
    say(out + 1, symbols);
    free(out);
}
