/* Frames: version, type, sequence and body with a CRC-32, COBS-encoded between zero bytes. */
#ifndef HIL_FRAME_H
#define HIL_FRAME_H

#include "bytes.h"
#include "hil_wire.h"

typedef struct {
    uint8_t version;
    uint8_t kind;
    uint16_t sequence;
    hil_bytes_t body;
} hil_frame_t;

typedef enum { HIL_DECODED_NOTHING, HIL_DECODED_FRAME, HIL_DECODED_DAMAGE } hil_decoded_t;

typedef struct {
    hil_frame_t frame;       /* of HIL_DECODED_FRAME; valid until the next byte is put */
    hil_nak_reason_t reason; /* of HIL_DECODED_DAMAGE */
    uint32_t length;
} hil_decoding_t;

typedef struct {
    uint32_t used;
    uint32_t overflow; /* bytes of the current frame beyond what any frame has */
    uint8_t bytes[HIL_ENCODED_MAX];
} hil_decoder_t;

/* The frame with a body of `head` and `tail` at `out`, which holds HIL_ENCODED_MAX bytes. Returns
 * the encoded bytes, or 0 when the body is too long. */
uint32_t hil_frame_encode(uint8_t kind, uint16_t sequence, hil_bytes_t head, hil_bytes_t tail,
                          uint8_t *out);

/* Takes the stream byte by byte; says what the byte completed. */
hil_decoded_t hil_decoder_put(hil_decoder_t *decoder, uint8_t byte, hil_decoding_t *decoding);

#endif
