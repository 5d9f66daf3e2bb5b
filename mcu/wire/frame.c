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

static hil_decoded_t decode(uint8_t *bytes, uint32_t encoded, hil_decoding_t *decoding) {
    const int32_t decoded = hil_cobs_decode(bytes, encoded);
    if (decoded < 0) {
        return damage(decoding, HIL_NAK_COBS, encoded);
    }
    const uint32_t count = (uint32_t)decoded;
    if (count < HIL_HEADER_BYTES + HIL_CRC_BYTES || count > HIL_RAW_MAX) {
        return damage(decoding, HIL_NAK_LENGTH, count);
    }
    const uint32_t checked = count - HIL_CRC_BYTES;
    if (hil_crc32(0, bytes, checked) != hil_get32(bytes + checked)) {
        return damage(decoding, HIL_NAK_CRC, count);
    }
    decoding->frame = (hil_frame_t){
        .version = bytes[0],
        .kind = bytes[1],
        .sequence = hil_get16(bytes + 2),
        .body = {bytes + HIL_HEADER_BYTES, checked - HIL_HEADER_BYTES},
    };
    return HIL_DECODED_FRAME;
}

hil_decoded_t hil_decoder_put(hil_decoder_t *decoder, uint8_t byte, hil_decoding_t *decoding) {
    if (byte != 0U) {
        if (decoder->used < HIL_ENCODED_MAX) {
            decoder->bytes[decoder->used++] = byte;
        } else {
            decoder->overflow++;
        }
        return HIL_DECODED_NOTHING;
    }
    const uint32_t used = decoder->used, overflow = decoder->overflow;
    decoder->used = 0;
    decoder->overflow = 0;
    if (overflow != 0U) {
        return damage(decoding, HIL_NAK_LENGTH, used + overflow);
    }
    return used == 0U ? HIL_DECODED_NOTHING : decode(decoder->bytes, used, decoding);
}
