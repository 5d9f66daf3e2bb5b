#include "stand_in_server.h"

#include "authentic.h"
#include "fuzz.h"

#define SIGNED_MAX  64U
#define PAYLOAD_MAX 4096U

/* The device's, where build.py put it. */
extern uint8_t __start_hil_key[];

static struct {
    bool keyed;
    uint8_t device_nonce[HIL_NONCE_BYTES];
    hil_blake2s_t tags; /* of the session */
    uint32_t counter;   /* of the latest exchange */
    uint32_t heard, total;
    uint8_t payload[PAYLOAD_MAX];
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

static void hears_payload(const uint8_t *body, uint32_t count) {
    const uint32_t offset = hil_get32(body + 8), counter = hil_get32(body + 12);
    if (counter != server.counter) {
        server.heard = server.total = 0;
        server.counter = counter;
    }
    REQUIRE(offset <= PAYLOAD_MAX - count && offset <= server.heard);
    memcpy(server.payload + offset, body + HIL_PAYLOAD_LAYOUT_BYTES, count);
    server.heard = offset + count > server.heard ? offset + count : server.heard;
    server.total = hil_get32(body + 4);
}

void server_hears(const plain_frame_t *frame) {
    const uint8_t *const body = plain_body(frame);
    if (frame->kind == HIL_FRAME_CAPABILITY) {
        memcpy(server.device_nonce, body + frame->count - HIL_NONCE_BYTES, HIL_NONCE_BYTES);
    } else if (frame->kind == HIL_FRAME_PAYLOAD) {
        hears_payload(body, frame->count - HIL_PAYLOAD_LAYOUT_BYTES);
    }
}

void server_hears_configure(const uint8_t *body, uint32_t count) {
    uint8_t key[HIL_KEY_BYTES];
    if (count == HIL_CONFIGURE_LAYOUT_BYTES) {
        hil_session_key(__start_hil_key, server.device_nonce, body + count - HIL_NONCE_BYTES, key);
        hil_tag_begin(&server.tags, key);
    }
}

/* The tag by its definition, apart from what the firmware computes it with. */
static void put_tag(uint8_t *body, uint32_t count, uint32_t answered, uint8_t *tag) {
    hil_blake2s_t state = server.tags;
    uint8_t question[12];
    (void)hil_put32(hil_put32(question, server.counter), hil_get32(body));
    (void)hil_put32(question + 8, answered);
    hil_blake2s_put(&state, (hil_bytes_t){question, sizeof question});
    hil_blake2s_put(&state, (hil_bytes_t){server.payload, answered});
    hil_blake2s_put(&state, (hil_bytes_t){body + 4, count - 4U});
    hil_blake2s_end(&state, tag);
}

uint32_t server_signs(uint8_t *body, uint32_t count, server_hearing_t hearing) {
    hil_reply_t reply;
    if (!hil_reply_unpack((hil_bytes_t){body, count}, &reply) || reply.tag != NULL ||
        count > HIL_BODY_MAX - HIL_PART_FIELD_BYTES - HIL_TAG_BYTES || server.signs == SIGNED_MAX) {
        return count;
    }
    const bool whole = server.total != 0U && server.heard == server.total && !hearing.part;
    const uint32_t answered = whole ? server.heard : server.heard / 2U;
    const bool misheard = hearing.misheard && answered != 0U;
    uint8_t *const place = body + count + (whole ? 0U : HIL_PART_FIELD_BYTES);
    server.payload[answered / 2U] ^= misheard ? 1U : 0U;
    put_tag(body, count, answered, place);
    server.payload[answered / 2U] ^= misheard ? 1U : 0U;
    if (!whole) {
        (void)hil_put32(body + count, answered);
    }
    if (!misheard) {
        server.replies[server.signs].sample = reply.sample;
        server.replies[server.signs++].counter = server.counter;
    }
    return (uint32_t)(place - body) + HIL_TAG_BYTES;
}

bool server_answered(uint32_t sample) {
    bool found = !server.keyed;
    for (uint32_t i = 0; i < server.signs; i++) {
        found |= server.replies[i].sample == sample && server.replies[i].counter == server.counter;
    }
    return found;
}
