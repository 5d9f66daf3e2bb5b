/* Frames: whatever comes in is judged as docs/protocol.md says it, whatever goes out comes back.
 *
 * The first byte chooses the room for a body (bits 0 and 1) and what follows (bit 2): bytes of the
 * wire, or pieces of a size (u16), a kind, a sequence (u16) and so many bytes of a body, which
 * become frames. */
#include "frame.h"
#include "plain_frame.h"

static const uint32_t rooms[] = {HIL_BODY_MAX, 8, 1, 0};

typedef struct {
    hil_decoder_t decoder;
    uint8_t *body;
    uint32_t room;
    uint8_t seen[2U * HIL_ENCODED_MAX]; /* since the last zero */
    uint32_t count;
} wire_t;

static void compare(const wire_t *wire, hil_decoded_t decoded, const hil_decoding_t *decoding) {
    const uint32_t kept = wire->count < sizeof wire->seen ? wire->count : sizeof wire->seen;
    plain_frame_t plain = plain_decode(wire->seen, kept);
    if (plain.reason == HIL_NAK_LENGTH && wire->count > HIL_ENCODED_MAX) {
        plain.length = wire->count;
    }
    if (plain.reason != 0U) {
        REQUIRE(decoded == HIL_DECODED_DAMAGE);
        REQUIRE(decoding->reason == plain.reason && decoding->length == plain.length);
        return;
    }
    const hil_frame_t *const frame = &decoding->frame;
    REQUIRE(decoded == HIL_DECODED_FRAME);
    REQUIRE(frame->version == plain.version && frame->kind == plain.kind);
    REQUIRE(frame->sequence == plain.sequence && frame->body.count == plain.count);
    REQUIRE(frame->body.at == wire->body);
    const uint32_t there = plain.count < wire->room ? plain.count : wire->room;
    REQUIRE(memcmp(wire->body, plain_body(&plain), there) == 0);
}

static void receive(wire_t *wire, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        hil_decoding_t decoding;
        const hil_decoded_t decoded =
            hil_decoder_put(&wire->decoder, bytes[i], wire->body, wire->room, &decoding);
        if (bytes[i] != 0U) {
            REQUIRE(decoded == HIL_DECODED_NOTHING);
            if (wire->count < sizeof wire->seen) {
                wire->seen[wire->count] = bytes[i];
            }
            wire->count++;
        } else if (wire->count == 0U) {
            REQUIRE(decoded == HIL_DECODED_NOTHING);
        } else {
            compare(wire, decoded, &decoding);
            wire->count = 0;
        }
    }
}

/* A frame from the input, cut into head and tail, through the encoder and back. */
static void send(wire_t *wire, fuzz_t *fuzz) {
    const uint32_t most = fuzz16(fuzz) % (HIL_BODY_MAX + 2U);
    const uint8_t kind = fuzz8(fuzz);
    const uint16_t sequence = fuzz16(fuzz);
    size_t count;
    uint8_t *const body = fuzz_bytes(fuzz, most, &count);
    const uint32_t head = (uint32_t)(sequence % (count + 1U)), tail = (uint32_t)count - head;
    uint8_t *const out = exactly(HIL_ENCODED_MAX);
    const uint32_t encoded = hil_frame_encode(kind, sequence, (hil_bytes_t){body, head},
                                              (hil_bytes_t){body + head, tail}, out);
    REQUIRE((encoded == 0U) == (count > HIL_BODY_MAX));
    if (encoded != 0U) {
        REQUIRE(encoded <= HIL_ENCODED_MAX && out[0] == 0U && out[encoded - 1U] == 0U);
        const plain_frame_t plain = plain_decode(out + 1, encoded - 2U);
        REQUIRE(plain.reason == 0U && plain.version == HIL_PROTOCOL_VERSION);
        REQUIRE(plain.kind == kind && plain.sequence == sequence && plain.count == count);
        REQUIRE(memcmp(plain_body(&plain), body, count) == 0);
        receive(wire, out, encoded);
    }
    release(out, HIL_ENCODED_MAX);
    release(body, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_t fuzz = {data, size};
    const uint8_t how = fuzz8(&fuzz);
    wire_t wire = {.room = rooms[how & 3U]};
    wire.body = exactly(wire.room);
    if ((how & 4U) != 0U) {
        while (fuzz.left != 0U) {
            send(&wire, &fuzz);
        }
    } else {
        receive(&wire, fuzz.at, fuzz.left);
    }
    release(wire.body, wire.room);
    return 0;
}
