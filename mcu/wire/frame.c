#include "frame.h"

#include "cobs.h"
#include "crc32.h"

uint32_t hil_frame_encode(uint8_t kind, uint16_t sequence, hil_bytes_t head, hil_bytes_t tail,
                          uint8_t *out) {
    if (head.count + tail.count > HIL_BODY_MAX) {
        return 0;
    }
    const uint8_t header[HIL_HEADER_BYTES] = {HIL_PROTOCOL_VERSION, kind, (uint8_t)sequence,
                                              (uint8_t)(sequence >> 8)};
    uint8_t trailer[HIL_CRC_BYTES];
    uint32_t crc = hil_crc32(0, header, HIL_HEADER_BYTES);
    crc = hil_crc32(crc, head.at, head.count);
    (void)hil_put32(trailer, hil_crc32(crc, tail.at, tail.count));

    hil_cobs_t cobs;
    hil_cobs_begin(&cobs, out + 1);
    hil_cobs_put(&cobs, header, HIL_HEADER_BYTES);
    hil_cobs_put(&cobs, head.at, head.count);
    hil_cobs_put(&cobs, tail.at, tail.count);
    hil_cobs_put(&cobs, trailer, HIL_CRC_BYTES);
    const uint32_t count = hil_cobs_end(&cobs);
    out[0] = 0; /* cuts off whatever noise came before */
    out[count + 1U] = 0;
    return count + 2U;
}

static hil_decoded_t damage(hil_decoding_t *decoding, hil_nak_reason_t reason, uint32_t length) {
    decoding->reason = reason;
    decoding->length = length;
    return HIL_DECODED_DAMAGE;
}

/* The CRC over anything and its own CRC. */
#define CRC_RESIDUE 0x2144DF1CU
#define BLOCK_MAX   255U

static void take(hil_decoder_t *decoder, uint8_t byte, uint8_t *body, uint32_t capacity) {
    const uint32_t at = decoder->decoded++;
    decoder->crc = hil_crc32(decoder->crc, &byte, 1);
    if (at < HIL_HEADER_BYTES) {
        decoder->header[at] = byte;
    } else if (at - HIL_HEADER_BYTES < capacity) {
        body[at - HIL_HEADER_BYTES] = byte; /* behind the body the CRC, if there is room */
    }
}

/* One byte of COBS: a block's length + 1, or a part of the block. */
static void unstuff(hil_decoder_t *decoder, uint8_t byte, uint8_t *body, uint32_t capacity) {
    if (decoder->block_left != 0U) {
        decoder->block_left--;
        take(decoder, byte, body, capacity);
        return;
    }
    if (decoder->zero_due) {
        take(decoder, 0, body, capacity);
    }
    decoder->block_left = (uint8_t)(byte - 1U);
    decoder->zero_due = byte != BLOCK_MAX;
}

static hil_decoded_t judge(const hil_decoder_t *decoder, const uint8_t *body,
                           hil_decoding_t *decoding) {
    const uint32_t count = decoder->decoded;
    if (decoder->encoded > HIL_ENCODED_MAX) {
        return damage(decoding, HIL_NAK_LENGTH, decoder->encoded);
    }
    if (decoder->block_left != 0U) {
        return damage(decoding, HIL_NAK_COBS, decoder->encoded);
    }
    if (count < HIL_HEADER_BYTES + HIL_CRC_BYTES || count > HIL_RAW_MAX) {
        return damage(decoding, HIL_NAK_LENGTH, count);
    }
    if (decoder->crc != CRC_RESIDUE) {
        return damage(decoding, HIL_NAK_CRC, count);
    }
    decoding->frame = (hil_frame_t){
        .version = decoder->header[0],
        .kind = decoder->header[1],
        .sequence = hil_get16(decoder->header + 2),
        .body = {body, count - HIL_HEADER_BYTES - HIL_CRC_BYTES},
    };
    return HIL_DECODED_FRAME;
}

hil_decoded_t hil_decoder_put(hil_decoder_t *decoder, uint8_t byte, uint8_t *body,
                              uint32_t capacity, hil_decoding_t *decoding) {
    if (byte != 0U) {
        decoder->encoded++;
        unstuff(decoder, byte, body, capacity);
        return HIL_DECODED_NOTHING;
    }
    const hil_decoder_t ended = *decoder;
    *decoder = (hil_decoder_t){0};
    return ended.encoded == 0U ? HIL_DECODED_NOTHING : judge(&ended, body, decoding);
}
