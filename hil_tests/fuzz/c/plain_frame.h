/* Frames once more, as plainly as docs/protocol.md says it: what the firmware's are held against.
 */
#ifndef HIL_PLAIN_FRAME_H
#define HIL_PLAIN_FRAME_H

#include "fuzz.h"
#include "hil_wire.h"

typedef struct {
    uint32_t reason; /* HIL_NAK_*, or 0 for a frame */
    uint32_t length; /* of damage */
    uint8_t version, kind;
    uint16_t sequence;
    uint32_t count; /* of the body */
    uint8_t raw[HIL_ENCODED_MAX];
} plain_frame_t;

static inline uint32_t plain_crc(const uint8_t *bytes, uint32_t count) {
    uint32_t crc = ~0U;
    for (uint32_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (uint32_t bit = 0; bit < 8U; bit++) {
            crc = crc >> 1 ^ (crc & 1U ? 0xEDB88320U : 0U);
        }
    }
    return ~crc;
}

/* Undoes COBS; returns the bytes, or -1. */
static inline int32_t plain_unstuff(const uint8_t *encoded, uint32_t count, uint8_t *out) {
    uint32_t used = 0;
    for (uint32_t at = 0; at < count;) {
        const uint32_t block = encoded[at++] - 1U;
        if (block > count - at) {
            return -1;
        }
        memcpy(out + used, encoded + at, block);
        used += block;
        at += block;
        if (block < 254U && at < count) {
            out[used++] = 0;
        }
    }
    return (int32_t)used;
}

/* What lies between two zeros. */
static inline plain_frame_t plain_decode(const uint8_t *encoded, uint32_t count) {
    plain_frame_t frame = {.reason = HIL_NAK_LENGTH, .length = count};
    if (count > HIL_ENCODED_MAX) {
        return frame;
    }
    const int32_t raw = plain_unstuff(encoded, count, frame.raw);
    if (raw < 0) {
        frame.reason = HIL_NAK_COBS;
        return frame;
    }
    frame.length = (uint32_t)raw;
    if (frame.length < HIL_HEADER_BYTES + HIL_CRC_BYTES || frame.length > HIL_RAW_MAX) {
        return frame;
    }
    const uint8_t *const crc = frame.raw + frame.length - HIL_CRC_BYTES;
    const uint32_t said = crc[0] | crc[1] << 8 | crc[2] << 16 | (uint32_t)crc[3] << 24;
    if (plain_crc(frame.raw, frame.length - HIL_CRC_BYTES) != said) {
        frame.reason = HIL_NAK_CRC;
        return frame;
    }
    frame.reason = 0;
    frame.version = frame.raw[0];
    frame.kind = frame.raw[1];
    frame.sequence = (uint16_t)(frame.raw[2] | frame.raw[3] << 8);
    frame.count = frame.length - HIL_HEADER_BYTES - HIL_CRC_BYTES;
    return frame;
}

static inline const uint8_t *plain_body(const plain_frame_t *frame) {
    return frame->raw + HIL_HEADER_BYTES;
}

#endif
