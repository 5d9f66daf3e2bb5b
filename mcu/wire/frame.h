/* Frames: version, type, sequence and body with a CRC-32, COBS-encoded between zero bytes. */
#ifndef HIL_FRAME_H
#define HIL_FRAME_H

#include <stdbool.h>

#include "bytes.h"
#include "hil_wire.h"

typedef struct {
    uint8_t version;
    uint8_t kind;
    uint16_t sequence;
    hil_bytes_t body; /* where the decoder put it: as much of it as there was room for */
} hil_frame_t;

typedef enum { HIL_DECODED_NOTHING, HIL_DECODED_FRAME, HIL_DECODED_DAMAGE } hil_decoded_t;

typedef struct {
    hil_frame_t frame;       /* of HIL_DECODED_FRAME */
    hil_nak_reason_t reason; /* of HIL_DECODED_DAMAGE */
    uint32_t length;
} hil_decoding_t;

/* Of the frame that is coming in; all zero before its first byte. */
typedef struct {
    uint32_t encoded; /* bytes so far */
    uint32_t decoded;
    uint32_t crc; /* of the decoded ones */
    uint8_t block_left;
    bool zero_due; /* unless the frame ends with the block */
    uint8_t header[HIL_HEADER_BYTES];
} hil_decoder_t;

/* The frame with a body of `head` and `tail` at `out`, which holds HIL_ENCODED_MAX bytes. Returns
 * the encoded bytes, or 0 when the body is too long. */
uint32_t hil_frame_encode(uint8_t kind, uint16_t sequence, hil_bytes_t head, hil_bytes_t tail,
                          uint8_t *out);

/* Takes the stream byte by byte; says what the byte completed. The body goes to `body`, which has
 * room for `capacity` bytes and has to be the same for all of a frame. */
hil_decoded_t hil_decoder_put(hil_decoder_t *decoder, uint8_t byte, uint8_t *body,
                              uint32_t capacity, hil_decoding_t *decoding);

#endif
