/* Keyed hashes and the tags of replies. */
#include "commands.h"

#include <stdbool.h>
#include <stdlib.h>

#include "answer.h"
#include "authentic.h"
#include "messages.h"

/* Bytes of the digest and of the key, how much of the message comes at a time; key and message. */
void hash(const uint8_t *bytes, uint32_t count) {
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
void verify(const uint8_t *bytes, uint32_t count) {
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
