/* The portable part of the firmware behind a pipe: a request is a command
 * letter, a 32-bit length and so many bytes; the answer is a 32-bit length and
 * so many bytes. Every buffer is allocated at its exact size, so the address
 * sanitiser sees the first byte too many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authentic.h"
#include "board.h"
#include "coverage.h"
#include "exit.h"
#include "fault_frame.h"
#include "frame.h"
#include "fuse.h"
#include "hil_coder.h"
#include "hil_encode.h"
#include "hil_kernels.h"
#include "hil_lzw.h"
#include "messages.h"
#include "quantise.h"
#include "transport.h"

typedef struct {
    uint8_t *bytes;
    uint32_t count, room;
} text_t;

static text_t answer;

static void say(const void *bytes, uint32_t count) {
    while (answer.count + count > answer.room) {
        answer.room = 2 * answer.room + count;
        answer.bytes = realloc(answer.bytes, answer.room);
    }
    if (count != 0) {
        memcpy(answer.bytes + answer.count, bytes, count);
    }
    answer.count += count;
}

static void say32(uint32_t value) {
    uint8_t bytes[4];
    (void)hil_put32(bytes, value);
    say(bytes, sizeof bytes);
}

static void *copy(const void *bytes, size_t count) {
    void *const made = malloc(count == 0 ? 1 : count);
    if (count != 0) {
        memcpy(made, bytes, count);
    }
    return made;
}

/* The UART, as far as the transport sees it: bytes in, bytes out, a clock that
 * the test sets. */
static text_t incoming;
static uint32_t now_ms;

void hil_uart_write(const uint8_t *bytes, uint32_t count) {
    say(bytes, count);
}

void hil_uart_send(const uint8_t *bytes, uint32_t count) {
    say(bytes, count);
}

void hil_uart_await_sent(void) {
}

uint32_t hil_uart_read(uint8_t *bytes, uint32_t capacity) {
    const uint32_t count = capacity < incoming.count ? capacity : incoming.count;
    if (count == 0) {
        return 0;
    }
    memcpy(bytes, incoming.bytes, count);
    incoming.bytes += count;
    incoming.count -= count;
    return count;
}

uint32_t hil_uart_baud(void) {
    return 1000000;
}

uint32_t hil_uart_arrival(void) {
    return 0;
}

uint32_t hil_tick_ms(void) {
    return now_ms;
}

static void decode_stream(const uint8_t *bytes, uint32_t count) {
    static hil_decoder_t decoder;
    static uint8_t body[HIL_BODY_MAX];
    for (uint32_t i = 0; i < count; i++) {
        hil_decoding_t decoding;
        const hil_decoded_t decoded =
            hil_decoder_put(&decoder, bytes[i], body, sizeof body, &decoding);
        if (decoded == HIL_DECODED_FRAME) {
            const hil_frame_t frame = decoding.frame;
            const uint8_t head[] = {1, frame.version, frame.kind};
            say(head, sizeof head);
            say32(frame.sequence);
            say32(frame.body.count);
            say(frame.body.at, frame.body.count);
        } else if (decoded == HIL_DECODED_DAMAGE) {
            const uint8_t head[] = {2, (uint8_t)decoding.reason, 0};
            say(head, sizeof head);
            say32(decoding.length);
        }
    }
}

/* kind, sequence, bytes of the head, then head and tail. */
static void encode_frame(const uint8_t *bytes, uint32_t count) {
    uint8_t *const out = malloc(HIL_ENCODED_MAX);
    const uint32_t head = hil_get32(bytes + 3);
    const uint32_t encoded =
        hil_frame_encode(bytes[0], hil_get16(bytes + 1), (hil_bytes_t){bytes + 7, head},
                         (hil_bytes_t){bytes + 7 + head, count - 7 - head}, out);
    say(out, encoded);
    free(out);
}

/* alphabet, capacity, then the symbols. */
static void lzw_encode(const uint8_t *bytes, uint32_t count) {
    const uint32_t capacity = hil_get32(bytes + 4);
    uint8_t *const out = malloc(capacity + 1);
    uint8_t *const exact = out + 1; /* malloc(0) may be NULL */
    void *const scratch = malloc(HIL_LZW_SCRATCH_BYTES);
    const int32_t encoded =
        hil_lzw_encode(bytes + 8, count - 8, hil_get32(bytes), scratch, exact, capacity);
    say32((uint32_t)encoded);
    say(exact, encoded < 0 ? 0 : (uint32_t)encoded);
    free(out);
    free(scratch);
}

/* alphabet, number of symbols, then the code. */
static void lzw_decode(const uint8_t *bytes, uint32_t count) {
    const uint32_t symbols = hil_get32(bytes + 4);
    uint8_t *const out = malloc(symbols + 1);
    void *const scratch = malloc(HIL_LZW_SCRATCH_BYTES);
    const int32_t status =
        hil_lzw_decode(bytes + 8, count - 8, symbols, hil_get32(bytes), scratch, out + 1);
    say32((uint32_t)status);
    say(out + 1, status < 0 ? 0 : symbols);
    free(out);
    free(scratch);
}

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
static void encode_payload(const uint8_t *bytes, uint32_t count) {
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
static void quantise(const uint8_t *bytes) {
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

/* The three numbers of the rule, whether there are local logits, classes,
 * remote, local. */
static void fuse(const uint8_t *bytes) {
    const hil_fusion_t fusion = {(int32_t)hil_get32(bytes), (int32_t)hil_get32(bytes + 4),
                                 (int32_t)hil_get32(bytes + 8)};
    const uint32_t classes = hil_get32(bytes + 16);
    int32_t *const remote = copy(bytes + 20, 4 * classes);
    int8_t *const local = copy(bytes + 20 + 4 * classes, classes);
    hil_fuse(&fusion, hil_get32(bytes + 12) != 0 ? local : NULL, remote, classes, remote);
    say32(hil_argmax_s32(remote, classes));
    say32(hil_argmax_s8(local, classes));
    say(remote, 4 * classes);
    free(remote);
    free(local);
}

/* Whether there is a table, the limit, the table, then the logits. */
static void decide_exit(const uint8_t *bytes, uint32_t count) {
    const uint32_t head = 8 + 4 * 256;
    uint32_t *const table = copy(bytes + 8, head - 8);
    int8_t *const logits = copy(bytes + head, count - head);
    const hil_exit_rule_t rule = {hil_get32(bytes) != 0 ? table : NULL, hil_get32(bytes + 4)};
    say32(hil_exit(&rule, logits, count - head));
    free(table);
    free(logits);
}

/* total, then pairs of begin and end; the answer is what every addition said,
 * then complete. */
static void cover(const uint8_t *bytes, uint32_t count) {
    hil_span_t spans[128];
    const hil_coverage_t coverage = {spans, 128};
    uint32_t taken = 0;
    for (uint32_t i = 4; i < count; i += 8) {
        const uint8_t added =
            hil_coverage_add(&coverage, &taken, hil_get32(bytes + i), hil_get32(bytes + i + 4));
        say(&added, 1);
    }
    const uint8_t complete = hil_coverage_complete(&coverage, taken, hil_get32(bytes));
    say(&complete, 1);
}

/* Nine numbers: bytes of the output, then the kernel's own; then the map. */
static void run_kernel(char kernel, const uint8_t *bytes, uint32_t count) {
    int32_t n[9];
    memcpy(n, bytes, sizeof n);
    int8_t *const input = copy(bytes + sizeof n, count - sizeof n);
    int8_t *const output = malloc((size_t)n[0] + 1);
    if (kernel == 'p') {
        hil_pad_s8(input, n[1], n[2], n[3], n[4], n[5], n[6], n[7], (int8_t)n[8], output + 1);
    } else if (kernel == 's') {
        hil_slice_channels_s8(input, n[1], n[2], n[3], n[4], output + 1);
    } else {
        hil_clamp_s8(input, n[0], (int8_t)n[1], (int8_t)n[2], output + 1);
        hil_clamp_s8(input, n[0], (int8_t)n[1], (int8_t)n[2], input);
        if (memcmp(input, output + 1, (size_t)n[0]) != 0) {
            abort();
        }
    }
    say(output + 1, (uint32_t)n[0]);
    free(input);
    free(output);
}

/* So many messages, each acknowledged at once: sequence numbers count on. */
static void skip_messages(uint32_t count) {
    const hil_bytes_t nothing = {NULL, 0};
    for (uint32_t i = 1; i <= count; i++) {
        uint8_t ack[16];
        (void)hil_transport_begin(HIL_FRAME_RESULT, nothing, nothing);
        const uint32_t size = hil_frame_encode(HIL_FRAME_ACK, (uint16_t)i, nothing, nothing, ack);
        incoming = (text_t){ack, size, 0};
        (void)hil_transport_poll();
        answer.count = 0;
    }
}

/* One call of the transport: 'r' bytes that arrive, 't' milliseconds that pass, 'b' a frame to
 * begin, 'm' one whose body is made in the transport's own memory, 'd' the inbox to drop, 's' a
 * number of messages to skip, 'c' to cancel. The answer: state, the inbox and what was written.
 */
static void drive_transport(const uint8_t *bytes, uint32_t count) {
    answer.count = 0;
    switch (bytes[0]) {
    case 'r':
        incoming = (text_t){(uint8_t *)(uintptr_t)(bytes + 1), count - 1, 0};
        break;
    case 't':
        now_ms += hil_get32(bytes + 1);
        break;
    case 'b':
        (void)hil_transport_begin(bytes[1], (hil_bytes_t){bytes + 2, count - 2},
                                  (hil_bytes_t){NULL, 0});
        break;
    case 'm':
        memcpy(hil_transport_body(), bytes + 2, count - 2);
        (void)hil_transport_begin(bytes[1], (hil_bytes_t){hil_transport_body(), count - 2},
                                  (hil_bytes_t){NULL, 0});
        break;
    case 'd':
        hil_transport_drop();
        break;
    case 's':
        skip_messages(hil_get32(bytes + 1));
        break;
    default:
        hil_transport_cancel();
        break;
    }
    uint8_t state;
    do {
        state = (uint8_t)hil_transport_poll();
    } while (incoming.count != 0);
    text_t written = answer;
    answer = (text_t){NULL, 0, 0};
    const hil_message_t *const message = hil_transport_peek();
    const uint8_t inbox[] = {state, message != NULL, message != NULL ? message->kind : 0};
    say(inbox, sizeof inbox);
    say32(message != NULL ? message->body.count : 0);
    if (message != NULL) {
        say(message->body.at, message->body.count);
    }
    say(written.bytes, written.count);
    free(written.bytes);
}

/* Numbers of a RESULT in the order of its layout, then local and fused logits.
 */
static void pack_result(const uint8_t *bytes) {
    uint32_t n[21];
    for (uint32_t i = 0; i < 21; i++) {
        n[i] = hil_get32(bytes + 4 * i);
    }
    int8_t *const local = copy(bytes + 84, n[19]);
    int32_t *const fused = copy(bytes + 84 + n[19], 4 * n[20]);
    const hil_result_t result = {
        .sample = n[0],
        .outcome = (uint8_t)n[1],
        .reason = (uint8_t)n[2],
        .prediction = (uint16_t)n[3],
        .payload_bytes = n[4],
        .cycles = {n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12], n[13]},
        .stack_peak_bytes = n[14],
        .retransmissions = (uint16_t)n[15],
        .crc_errors = (uint16_t)(n[15] >> 16),
        .unauthentic = (uint16_t)n[16],
        .input_crc = n[17],
        .payload_crc = n[18],
        .local_count = (uint16_t)n[19],
        .fused_count = (uint16_t)n[20],
        .local = local,
        .fused = fused,
    };
    uint8_t *const out = malloc(HIL_BODY_MAX);
    say(out, hil_result_pack(&result, out));
    free(local);
    free(fused);
    free(out);
}

/* A CAPABILITY of thirteen numbers, in the order of its layout, the hash and the nonce. */
static void pack_capability(const uint8_t *bytes) {
    uint32_t n[13];
    for (uint32_t i = 0; i < 13; i++) {
        n[i] = hil_get32(bytes + 4 * i);
    }
    const hil_capability_t capability = {
        .firmware_version = {(uint8_t)n[0], (uint8_t)(n[0] >> 8), (uint8_t)(n[0] >> 16)},
        .reset_cause = (uint8_t)(n[0] >> 24),
        .clock_hz = n[1],
        .baud_max = n[2],
        .arena_bytes = n[3],
        .input_bytes = n[4],
        .payload_capacity = n[5],
        .classes = (uint16_t)n[6],
        .layers = (uint16_t)n[7],
        .bundle_hash = bytes + 52,
        .check = {(uint8_t)n[8], n[9], n[10], n[11]},
        .nonce_source = (uint8_t)n[12],
        .nonce = bytes + 52 + HIL_HASH_BYTES,
    };
    uint8_t *const out = malloc(HIL_CAPABILITY_LAYOUT_BYTES);
    say(out, hil_capability_pack(&capability, out));
    free(out);
}

/* Bytes of the digest and of the key, how much of the message comes at a time; key and message. */
static void hash(const uint8_t *bytes, uint32_t count) {
    const uint32_t digest_bytes = bytes[0], key_bytes = bytes[1], piece = bytes[2];
    uint8_t *const key = copy(bytes + 3, key_bytes);
    hil_blake2s_t state;
    hil_blake2s_begin(&state, digest_bytes, (hil_bytes_t){key, key_bytes});
    for (uint32_t at = 3U + key_bytes; at < count; at += piece) {
        const uint32_t left = count - at;
        hil_blake2s_put(&state, (hil_bytes_t){bytes + at, left < piece ? left : piece});
    }
    uint8_t *const digest = malloc(digest_bytes);
    hil_blake2s_end(&state, digest);
    say(digest, digest_bytes);
    free(digest);
    free(key);
}

/* The device's key, both nonces, the exchange's number, how long the payload is, the payload, a
 * reply's body: whether it is authentic. */
static void verify(const uint8_t *bytes, uint32_t count) {
    const uint8_t *const nonces = bytes + HIL_KEY_BYTES;
    const uint8_t *const numbers = nonces + 2U * HIL_NONCE_BYTES;
    const hil_bytes_t payload = {numbers + 8, hil_get32(numbers + 4)};
    const uint8_t *const body_at = payload.at + payload.count;
    const uint32_t body_bytes = count - (uint32_t)(body_at - bytes);
    uint8_t *const body = copy(body_at, body_bytes);
    uint8_t key[HIL_KEY_BYTES];
    hil_blake2s_t begun, asked;
    hil_reply_t reply;
    hil_session_key(bytes, nonces, nonces + HIL_NONCE_BYTES, key);
    hil_tag_begin(&begun, key);
    bool authentic = hil_reply_unpack((hil_bytes_t){body, body_bytes}, &reply);
    if (authentic) {
        const uint32_t part = reply.part == 0 ? payload.count : hil_get32(reply.part);
        const hil_bytes_t answered = {payload.at, part <= payload.count ? part : payload.count};
        hil_tag_ask(&asked, &begun, hil_get32(numbers), reply.sample, answered);
        authentic = part == answered.count && hil_tag_fits(&asked, &reply);
    }
    say32(authentic);
    free(body);
}

static void pack_layers(const uint8_t *bytes, uint32_t count) {
    uint32_t *const cycles = copy(bytes + 4, count - 4);
    uint8_t *const out = malloc(HIL_BODY_MAX);
    say(out, hil_layers_pack(hil_get32(bytes), cycles, (count - 4) / 4, out));
    free(cycles);
    free(out);
}

/* Which message the body is, by the unpackers' own verdict on its length; then
 * its numbers. */
static void unpack(const uint8_t *bytes, uint32_t count) {
    uint8_t *const exact = copy(bytes + 1, count - 1);
    const hil_bytes_t body = {exact, count - 1};
    uint16_t version;
    hil_configure_t configure;
    hil_chunk_t chunk;
    hil_run_t run;
    hil_reply_t reply;
    uint32_t start;
    if (bytes[0] == HIL_FRAME_HELLO && hil_hello_unpack(body, &version)) {
        say32(version);
    } else if (bytes[0] == HIL_FRAME_CONFIGURE && hil_configure_unpack(body, &configure)) {
        say32(configure.deadline_us);
        say32(configure.baud);
        say32(configure.early_bytes);
        say(configure.server_nonce, HIL_NONCE_BYTES);
    } else if (bytes[0] == HIL_FRAME_INPUT && hil_chunk_unpack(body, &chunk)) {
        say32(chunk.sample);
        say32(chunk.total);
        say32(chunk.offset);
        say(chunk.data.at, chunk.data.count);
    } else if (bytes[0] == HIL_FRAME_RUN && hil_run_unpack(body, &run)) {
        say32(run.sample);
        say32(run.flags);
    } else if (bytes[0] == HIL_FRAME_CHECK && hil_check_unpack(body, &start)) {
        say32(start);
    } else if (bytes[0] == HIL_FRAME_REPLY && hil_reply_unpack(body, &reply)) {
        say32(reply.sample);
        say32(reply.status);
        for (uint32_t i = 0; i < reply.count; i++) {
            say32((uint32_t)(int32_t)hil_reply_logit(&reply, i));
        }
        say(reply.part, reply.part == 0 ? 0U : HIL_PART_FIELD_BYTES);
        say(reply.tag, reply.tag == 0 ? 0U : HIL_TAG_BYTES);
    }
    free(exact);
}

static void obey(char command, const uint8_t *bytes, uint32_t count) {
    uint8_t fault[HIL_FAULT_FRAME_BYTES];
    uint32_t words[HIL_FAULT_LAYOUT_BYTES / 4U];
    switch (command) {
    case 'D':
        decode_stream(bytes, count);
        break;
    case 'E':
        encode_frame(bytes, count);
        break;
    case 'L':
        lzw_encode(bytes, count);
        break;
    case 'U':
        lzw_decode(bytes, count);
        break;
    case 'P':
        encode_payload(bytes, count);
        break;
    case 'Q':
        quantise(bytes);
        break;
    case 'F':
        fuse(bytes);
        break;
    case 'X':
        decide_exit(bytes, count);
        break;
    case 'C':
        cover(bytes, count);
        break;
    case 'T':
        drive_transport(bytes, count);
        break;
    case 'R':
        pack_result(bytes);
        break;
    case 'Y':
        pack_layers(bytes, count);
        break;
    case 'B':
        hash(bytes, count);
        break;
    case 'A':
        verify(bytes, count);
        break;
    case 'G':
        pack_capability(bytes);
        break;
    case 'N':
        unpack(bytes, count);
        break;
    case 'H':
        memcpy(words, bytes, sizeof words);
        say(fault, hil_fault_frame(fault, words));
        break;
    default:
        run_kernel(command, bytes, count);
        break;
    }
}

int main(void) {
    uint8_t head[5];
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        const uint32_t count = hil_get32(head + 1);
        uint8_t *const bytes = malloc(count + 1);
        if (fread(bytes, 1, count, stdin) != count) {
            free(bytes);
            break;
        }
        answer.count = 0;
        obey((char)head[0], bytes, count);
        uint8_t size[4];
        (void)hil_put32(size, answer.count);
        fwrite(size, 1, sizeof size, stdout);
        if (answer.count != 0U) { /* before the first answer there are no bytes at all */
            fwrite(answer.bytes, 1, answer.count, stdout);
        }
        fflush(stdout);
        free(bytes);
    }
    free(answer.bytes);
    return 0;
}
