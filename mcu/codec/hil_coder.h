/*
 * Encoders that take a payload run by run, so that it never has to exist uncompressed. A run is as
 * many symbols of one channel as follow one another in the format's order: the whole plane
 * (HIL_ORDER_PLANES), or one row of it (HIL_ORDER_ROWS: for each row, for each channel, `width`
 * symbols). Call begin once, put for every run in that order, finish once.
 *
 * The bytes are those of the whole-payload encoders in hil_model.h, which are made of these. LZ4
 * has no such form: its shuffle needs blocks of whole symbols.
 */
#ifndef HIL_CODER_H
#define HIL_CODER_H

#include <stdint.h>

#include "hil_model.h"
#include "hil_wire.h"

/* An encoder's state, in the caller's memory. Nobody but the encoder looks inside. */
typedef struct {
    const hil_payload_format_t *format;
    void *scratch;
    uint8_t *out, *at;
    const uint8_t *end;
    int failed; /* a put was refused */
    union {
        /* Range: the interval begins at the bytes written and then `low`. */
        struct {
            uint32_t low, range;
        } interval;
        /* Huffman: the newest `count` bits of `bits` are not written yet. */
        struct {
            uint32_t bits, count;
        } pending;
        /* LZW: bits that are not written yet, codes that the decoder can know by now, the next free
         * code, and the code of the symbols not yet sent. */
        struct {
            uint32_t bits, bit_count, codes, next_code;
            int32_t prefix;
        } phrase;
        /* Context: as range, with a carry above the 32 bits of `low`; how far `at` may have come
         * before the next row, and by how much more before the one after it; what the scratch and
         * the table hold. */
        struct {
            uint64_t low;
            uint32_t range, each, shift, words;
            const uint8_t *limit;
            uint32_t *places;
            uint8_t *live;
            const uint32_t *tables;
        } context;
    };
} hil_coder_t;

/* `format`, `scratch` (what the codec's header asks for, 4-byte aligned, or NULL) and `out` have to
 * stay until finish. */
typedef void hil_begin_t(hil_coder_t *coder, const hil_payload_format_t *format, void *scratch,
                         uint8_t *out, uint32_t capacity);

/* The next run: `count` symbols, a byte each, of channel `channel` (from 0; the table's row). They
 * are neither changed nor needed later; 4-byte aligned ones are read fastest. Returns 0, or -1 when
 * a symbol is foreign or `capacity` is used up; finish then says so too, so that a caller may
 * leave it to the end. */
typedef int hil_put_t(hil_coder_t *coder, const uint8_t *symbols, uint32_t count, uint32_t channel);

/* The payload's bytes, or -1 when a put was refused or the end does not fit. */
typedef int32_t hil_finish_t(hil_coder_t *coder);

hil_begin_t hil_none_begin, hil_lzw_begin, hil_huffman_begin, hil_range_begin, hil_context_begin;
hil_put_t hil_none_put, hil_lzw_put, hil_huffman_put, hil_range_put, hil_context_put;
hil_finish_t hil_none_finish, hil_lzw_finish, hil_huffman_finish, hil_range_finish,
    hil_context_finish;

/* A row of all channels at once, which is the fastest: `symbols` as hil_context_put takes them,
 * channel after channel. `idle`, unless it is NULL, is 0 for just those channels of which a symbol
 * is not 0; the symbols of the others are not looked at. Refused where a channel is all 0 that is
 * not said to be. */
int hil_context_put_row(hil_coder_t *coder, const uint8_t *symbols, const uint8_t *idle);

/* Scratch of the context coder: what it remembers of the latest row. */
uint32_t hil_context_scratch_bytes(const hil_payload_format_t *format);

/* How many of the first bytes at `out` no later put changes: those can be sent already. A range
 * coder's carry may still run back over full bytes (0xFF) into the one before them. */
uint32_t hil_coder_settled(const hil_coder_t *coder);

static inline void hil_coder_begin(hil_coder_t *coder, const hil_payload_format_t *format,
                                   void *scratch, uint8_t *out, uint32_t capacity) {
    coder->format = format;
    coder->scratch = scratch;
    coder->out = out;
    coder->at = out;
    coder->end = out + capacity;
    coder->failed = 0;
}

static inline int hil_coder_refuse(hil_coder_t *coder) {
    coder->failed = 1;
    return -1;
}

static inline uint32_t hil_run_length(const hil_payload_format_t *format) {
    return format->order == HIL_ORDER_ROWS ? format->width : format->pixels;
}

/* A whole payload, whose runs follow one another at `symbols`. */
static inline int32_t hil_encode_runs(const hil_payload_format_t *format, const uint8_t *symbols,
                                      void *scratch, uint8_t *out, uint32_t capacity,
                                      hil_begin_t *begin, hil_put_t *put, hil_finish_t *finish) {
    const uint32_t length = hil_run_length(format);
    const uint8_t *const end = symbols + format->pixels * format->channels;
    hil_coder_t coder;
    begin(&coder, format, scratch, out, capacity);
    while (symbols < end) {
        for (uint32_t channel = 0; channel < format->channels; channel++, symbols += length) {
            if (put(&coder, symbols, length, channel) < 0) {
                return -1;
            }
        }
    }
    return finish(&coder);
}

#endif
