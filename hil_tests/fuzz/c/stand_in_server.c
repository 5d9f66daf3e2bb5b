#include "stand_in_server.h"

#include "authentic.h"

#define SIGNED_MAX 64U

/* The device's, where build.py put it. */
extern uint8_t __start_hil_key[];

static struct {
    bool keyed;
    uint8_t device_nonce[HIL_NONCE_BYTES];
    hil_blake2s_t tags; /* of the session */
    uint32_t counter;   /* of the latest exchange */
    uint32_t signs;
    struct {
        uint32_t sample, counter;
    } replies[SIGNED_MAX];
} server;

void server_begin(bool keyed) {
    memset(&server, 0, sizeof server);
    server.keyed = keyed;
    memset(__start_hil_key, keyed ? 0x11 : 0xFF, HIL_KEY_BYTES);
}

void server_hears(const plain_frame_t *frame) {
    const uint8_t *const body = plain_body(frame);
    if (frame->kind == HIL_FRAME_CAPABILITY) {
        memcpy(server.device_nonce, body + frame->count - HIL_NONCE_BYTES, HIL_NONCE_BYTES);
    } else if (frame->kind == HIL_FRAME_PAYLOAD) {
        server.counter = hil_get32(body + 12);
    }
}

void server_hears_configure(const uint8_t *body, uint32_t count) {
    uint8_t key[HIL_KEY_BYTES];
    if (count == HIL_CONFIGURE_LAYOUT_BYTES) {
        hil_session_key(__start_hil_key, server.device_nonce, body + count - HIL_NONCE_BYTES, key);
        hil_tag_begin(&server.tags, key);
    }
}

uint32_t server_signs(uint8_t *body, uint32_t count) {
    hil_blake2s_t state = server.tags;
    uint8_t counter[4];
    hil_reply_t reply;
    if (!hil_reply_unpack((hil_bytes_t){body, count}, &reply) || reply.tag != NULL ||
        count > HIL_BODY_MAX - HIL_TAG_BYTES || server.signs == SIGNED_MAX) {
        return count;
    }
    (void)hil_put32(counter, server.counter);
    hil_blake2s_put(&state, (hil_bytes_t){counter, sizeof counter});
    hil_blake2s_put(&state, (hil_bytes_t){body, count});
    hil_blake2s_end(&state, body + count);
    server.replies[server.signs].sample = reply.sample;
    server.replies[server.signs++].counter = server.counter;
    return count + HIL_TAG_BYTES;
}

bool server_answered(uint32_t sample) {
    bool found = !server.keyed;
    for (uint32_t i = 0; i < server.signs; i++) {
        found |= server.replies[i].sample == sample && server.replies[i].counter == server.counter;
    }
    return found;
}
