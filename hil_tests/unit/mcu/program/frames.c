/* Frames from bytes, bytes from frames. */
#include "commands.h"

#include <stdlib.h>

#include "answer.h"
#include "frame.h"
#include "messages.h"

void decode_stream(const uint8_t *bytes, uint32_t count) {
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
void encode_frame(const uint8_t *bytes, uint32_t count) {
    uint8_t *const out = malloc(HIL_ENCODED_MAX);
    const uint32_t head = hil_get32(bytes + 3);
    const uint32_t encoded =
        hil_frame_encode(bytes[0], hil_get16(bytes + 1), (hil_bytes_t){bytes + 7, head},
                         (hil_bytes_t){bytes + 7 + head, count - 7 - head}, out);
    say(out, encoded);
    free(out);
}
