#include "session.h"

#include <string.h>

#include "authentic.h"
#include "board.h"

#define BLANK 0xFFU /* as erased flash */

static struct {
    uint8_t nonce[HIL_NONCE_BYTES];
    uint8_t source; /* HIL_NONCE_SOURCE_* */
    bool fresh;     /* no session has begun with the nonce */
    uint32_t counter;
    hil_blake2s_t begun;
    hil_blake2s_t asked; /* goes on from `begun`, for: */
    uint32_t asked_counter;
    hil_bytes_t asked_payload;
} state;

/* Whoever flashes the board fills it in; behind the seal, which does not cover it. */
__attribute__((section(".hil_key"),
               used)) static const volatile uint8_t device_key[HIL_KEY_BYTES] = {
    [0 ... HIL_KEY_BYTES - 1U] = BLANK};

static bool take_key(uint8_t key[HIL_KEY_BYTES]) {
    uint32_t blank = 0;
    for (uint32_t i = 0; i < HIL_KEY_BYTES; i++) {
        key[i] = device_key[i];
        blank += key[i] == BLANK;
    }
    return blank != HIL_KEY_BYTES;
}

/* Without a generator: what differs between boards and, mostly, between starts, under the key. */
static void make_weak_nonce(const uint8_t key[HIL_KEY_BYTES]) {
    uint32_t words[5];
    hil_unique_id(words);
    words[3] = hil_cycles();
    words[4] = hil_tick_ms();
    uint8_t bytes[sizeof words];
    for (uint32_t i = 0; i < 5U; i++) {
        (void)hil_put32(bytes + 4U * i, words[i]);
    }
    hil_blake2s_t hash;
    hil_blake2s_begin(&hash, HIL_NONCE_BYTES, (hil_bytes_t){key, HIL_KEY_BYTES});
    hil_blake2s_put(&hash, (hil_bytes_t){bytes, sizeof bytes});
    hil_blake2s_put(&hash, (hil_bytes_t){state.nonce, HIL_NONCE_BYTES});
    hil_blake2s_end(&hash, state.nonce);
}

void hil_session_greet(void) {
    uint8_t key[HIL_KEY_BYTES];
    uint32_t words[HIL_NONCE_BYTES / 4U];
    if (!take_key(key)) {
        state.source = HIL_NONCE_SOURCE_NONE;
        return;
    }
    if (state.fresh) {
        return;
    }
    state.fresh = true;
    if (hil_random(words, HIL_NONCE_BYTES / 4U)) {
        state.source = HIL_NONCE_SOURCE_RNG;
        memcpy(state.nonce, words, sizeof words);
    } else {
        state.source = HIL_NONCE_SOURCE_COUNTER;
        make_weak_nonce(key);
    }
}

uint8_t hil_session_nonce_source(void) {
    return state.source;
}

const uint8_t *hil_session_nonce(void) {
    return state.nonce;
}

void hil_session_begin(const uint8_t server_nonce[HIL_NONCE_BYTES]) {
    uint8_t key[HIL_KEY_BYTES];
    if (take_key(key)) {
        if (state.source == HIL_NONCE_SOURCE_NONE) {
            hil_session_greet(); /* no HELLO came before: a key counts all the same */
        }
        hil_session_key(key, state.nonce, server_nonce, key);
        hil_tag_begin(&state.begun, key);
        state.fresh = false;
    }
}

uint32_t hil_session_count(void) {
    return ++state.counter;
}

void hil_session_ask(uint32_t counter, uint32_t sample, hil_bytes_t payload) {
    hil_tag_ask(&state.asked, &state.begun, counter, sample, payload);
    state.asked_counter = counter;
    state.asked_payload = payload;
}

bool hil_session_owns(uint32_t counter, hil_bytes_t payload, const hil_reply_t *reply) {
    if (state.asked_counter != counter || state.asked_payload.at != payload.at ||
        state.asked_payload.count != payload.count) {
        hil_session_ask(counter, reply->sample, payload);
    }
    return hil_tag_fits(&state.asked, reply);
}
