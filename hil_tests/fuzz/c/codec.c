/* Encoders of all codecs over any payload, by way of every form that they have; LZW's decoder over
 * any bytes.
 *
 * The first byte is the codec, or HIL_CODEC_CONTEXT + 1 for bytes to LZW's decoder. Then the format
 * and the tables, which are sound, as a bundle's are; then symbols, which need not be. */
#include <stdbool.h>

#include "fuzz.h"
#include "hil_coder.h"
#include "hil_encode.h"
#include "hil_lz4.h"
#include "hil_lzw.h"
#include "plain_lz4.h"
#include "sound_tables.h"

#define CODECS (HIL_CODEC_CONTEXT + 1U)

typedef struct {
    hil_payload_format_t format;
    uint32_t count, scratch_bytes, table_bytes;
    uint32_t *table;
    uint8_t *symbols;
    bool foreign;
} payload_t;

static payload_t payload_of(uint8_t codec, fuzz_t *fuzz) {
    payload_t payload = {0};
    hil_payload_format_t *const format = &payload.format;
    const uint16_t most = codec == HIL_CODEC_CONTEXT ? HIL_CONTEXT_ALPHABET_MAX : 256;
    const uint32_t height = 1U + fuzz8(fuzz) % 12U;
    format->codec = codec;
    format->width = (uint16_t)(1U + fuzz8(fuzz) % 20U);
    format->channels = (uint16_t)(1U + fuzz8(fuzz) % 5U);
    format->alphabet = (uint16_t)(2U + fuzz8(fuzz) % (most - 1U));
    const bool rows = codec == HIL_CODEC_CONTEXT || (fuzz8(fuzz) & 1U) != 0U;
    format->order = rows ? HIL_ORDER_ROWS : HIL_ORDER_PLANES;
    format->pixels = height * format->width;
    payload.count = format->pixels * format->channels;
    payload.scratch_bytes = codec == HIL_CODEC_LZW       ? HIL_LZW_SCRATCH_BYTES
                            : codec == HIL_CODEC_LZ4     ? HIL_LZ4_SCRATCH_BYTES
                            : codec == HIL_CODEC_CONTEXT ? hil_context_scratch_bytes(format)
                                                         : 0U;
    payload.table_bytes = sound_table_bytes(format);
    payload.table = exactly(payload.table_bytes);
    sound_table(format, payload.table, fuzz);
    format->table = payload.table;
    const bool any = (fuzz8(fuzz) & 3U) == 0U; /* a foreign symbol may be among them */
    payload.symbols = exactly(payload.count);
    for (uint32_t i = 0; i < payload.count; i++) {
        const uint8_t symbol = fuzz8(fuzz);
        payload.symbols[i] = any ? symbol : (uint8_t)(symbol % format->alphabet);
        payload.foreign |= payload.symbols[i] >= format->alphabet;
    }
    return payload;
}

static void end(payload_t *payload) {
    release(payload->table, payload->table_bytes);
    release(payload->symbols, payload->count);
}

/* As the firmware calls it: LZ4 may shuffle the symbols, so it gets a copy. */
static int32_t encode(const payload_t *payload, uint8_t *out, uint32_t capacity) {
    uint8_t *const symbols = exactly(payload->count);
    void *const scratch = exactly(payload->scratch_bytes);
    memcpy(symbols, payload->symbols, payload->count);
    const int32_t encoded = hil_encode(&payload->format, symbols, scratch, out, capacity);
    REQUIRE(encoded <= (int32_t)capacity);
    release(scratch, payload->scratch_bytes);
    release(symbols, payload->count);
    return encoded;
}

/* The bytes that were once said to be settled are those of the end. A carry may turn the byte
 * behind them into 0xFF, so that fewer are said to be, which is right as well. */
typedef struct {
    uint8_t *bytes;
    uint32_t count;
} settled_t;

static void note_settled(settled_t *settled, const hil_coder_t *coder) {
    const uint32_t count = hil_coder_settled(coder);
    REQUIRE(memcmp(settled->bytes, coder->out, settled->count) == 0);
    if (count > settled->count) {
        memcpy(settled->bytes, coder->out, count);
        settled->count = count;
    }
}

static bool put_all(const payload_t *payload, hil_coder_t *coder, hil_put_t *put,
                    settled_t *settled) {
    const uint32_t run = hil_run_length(&payload->format), channels = payload->format.channels;
    uint32_t number = 0;
    for (uint32_t at = 0; at < payload->count; at += run, number++) {
        uint8_t *const symbols = exactly(run);
        memcpy(symbols, payload->symbols + at, run);
        const int refused = put(coder, symbols, run, number % channels);
        release(symbols, run);
        if (refused != 0) {
            return false;
        }
        note_settled(settled, coder);
    }
    return true;
}

/* Rows of all channels, with word of which are idle. */
static bool put_rows(const payload_t *payload, hil_coder_t *coder, settled_t *settled) {
    const uint32_t width = payload->format.width, channels = payload->format.channels;
    for (uint32_t at = 0; at < payload->count; at += width * channels) {
        uint8_t *const idle = exactly(channels);
        for (uint32_t c = 0; c < channels; c++) {
            idle[c] = 1;
            for (uint32_t x = 0; x < width; x++) {
                idle[c] &= payload->symbols[at + c * width + x] == 0U;
            }
        }
        const int refused = hil_context_put_row(coder, payload->symbols + at, idle);
        release(idle, channels);
        if (refused != 0) {
            return false;
        }
        note_settled(settled, coder);
    }
    return true;
}

/* Run by run (or `by_rows`) comes the same as at once, `whole` of `count` bytes or -1. */
static void stream(const payload_t *payload, const uint8_t *whole, int32_t count, uint32_t capacity,
                   bool by_rows) {
    static hil_begin_t *const begins[] = {hil_none_begin,    hil_lzw_begin, hil_range_begin,
                                          hil_huffman_begin, NULL,          hil_context_begin};
    static hil_put_t *const puts[] = {hil_none_put,    hil_lzw_put, hil_range_put,
                                      hil_huffman_put, NULL,        hil_context_put};
    static hil_finish_t *const finishes[] = {
        hil_none_finish,    hil_lzw_finish, hil_range_finish,
        hil_huffman_finish, NULL,           hil_context_finish};
    const uint8_t codec = payload->format.codec;
    uint8_t *const out = exactly(capacity);
    void *const scratch = exactly(payload->scratch_bytes);
    settled_t settled = {.bytes = exactly(capacity)};
    hil_coder_t coder;
    begins[codec](&coder, &payload->format, scratch, out, capacity);
    const bool fits = by_rows ? put_rows(payload, &coder, &settled)
                              : put_all(payload, &coder, puts[codec], &settled);
    const int32_t streamed = finishes[codec](&coder);
    REQUIRE(streamed == count && (fits || streamed < 0));
    if (count >= 0) {
        REQUIRE(memcmp(out, whole, (size_t)count) == 0);
        REQUIRE(memcmp(settled.bytes, whole, settled.count) == 0);
    }
    release(settled.bytes, capacity);
    release(scratch, payload->scratch_bytes);
    release(out, capacity);
}

/* The way back, where C has one. */
static void come_back(const payload_t *payload, const uint8_t *encoded, uint32_t count) {
    uint8_t *const found = exactly(payload->count);
    if (payload->format.codec == HIL_CODEC_LZW) {
        void *const scratch = exactly(HIL_LZW_SCRATCH_BYTES);
        REQUIRE(hil_lzw_decode(encoded, count, payload->count, payload->format.alphabet, scratch,
                               found) == 0);
        REQUIRE(hil_lzw_decode(encoded, count - 1U, payload->count, payload->format.alphabet,
                               scratch, found) < 0);
        REQUIRE(hil_lzw_decode(encoded, count, payload->count, payload->format.alphabet, scratch,
                               found) == 0);
        release(scratch, HIL_LZW_SCRATCH_BYTES);
    } else if (payload->format.codec == HIL_CODEC_LZ4) {
        REQUIRE(plain_lz4_decode(encoded, count, found, payload->count));
        plain_unshuffle(found, payload->count);
    } else {
        memcpy(found, payload->format.codec == HIL_CODEC_NONE ? encoded : payload->symbols,
               payload->count);
    }
    REQUIRE(memcmp(found, payload->symbols, payload->count) == 0);
    release(found, payload->count);
}

static void encode_all(uint8_t codec, fuzz_t *fuzz) {
    payload_t payload = payload_of(codec, fuzz);
    const uint32_t most = 4U * payload.count + 4096U;
    uint8_t *const out = exactly(most);
    const int32_t count = encode(&payload, out, most);
    const bool checks = codec != HIL_CODEC_NONE && codec != HIL_CODEC_LZ4;
    REQUIRE((count < 0) == (payload.foreign && checks));
    const bool streams = codec != HIL_CODEC_LZ4;
    if (streams) {
        stream(&payload, out, count, most, false);
    }
    if (codec == HIL_CODEC_CONTEXT) {
        stream(&payload, out, count, most, true);
    }
    if (count > 0) {
        uint8_t *const exact = exactly((size_t)count);
        REQUIRE(encode(&payload, exact, (uint32_t)count) == count);
        REQUIRE(memcmp(exact, out, (size_t)count) == 0);
        come_back(&payload, exact, (uint32_t)count);
        release(exact, (size_t)count);
        uint8_t *const less = exactly((size_t)count - 1U);
        REQUIRE(encode(&payload, less, (uint32_t)count - 1U) < 0);
        release(less, (size_t)count - 1U);
        if (streams) {
            stream(&payload, out, -1, (uint32_t)count - 1U, false);
        }
    }
    release(out, most);
    end(&payload);
}

static void decode_lzw(fuzz_t *fuzz) {
    const uint32_t alphabet = fuzz16(fuzz) % 300U, count = fuzz16(fuzz) % 6000U;
    size_t size;
    uint8_t *const bytes = fuzz_bytes(fuzz, fuzz->left, &size);
    uint8_t *const symbols = exactly(count);
    void *const scratch = exactly(HIL_LZW_SCRATCH_BYTES);
    if (hil_lzw_decode(bytes, (uint32_t)size, count, alphabet, scratch, symbols) == 0) {
        for (uint32_t i = 0; i < count; i++) {
            REQUIRE(symbols[i] < alphabet);
        }
    }
    release(scratch, HIL_LZW_SCRATCH_BYTES);
    release(symbols, count);
    release(bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_t fuzz = {data, size};
    const uint8_t codec = fuzz8(&fuzz) % (CODECS + 1U);
    if (codec == CODECS) {
        decode_lzw(&fuzz);
    } else {
        encode_all(codec, &fuzz);
    }
    return 0;
}
