/* Whether a reply is the server's, and belongs to this exchange. host/hil/wire/authentic.py is the
 * other side. */
#ifndef HIL_AUTHENTIC_H
#define HIL_AUTHENTIC_H

#include "blake2s.h"
#include "hil_wire.h"
#include "messages.h"

/* The key of a session: BLAKE2s of both nonces under the device's key. */
void hil_session_key(const uint8_t device_key[HIL_KEY_BYTES],
                     const uint8_t device_nonce[HIL_NONCE_BYTES],
                     const uint8_t server_nonce[HIL_NONCE_BYTES], uint8_t key[HIL_KEY_BYTES]);

/* What all tags of a session begin with: the block of its key is compressed once. */
void hil_tag_begin(hil_blake2s_t *begun, const uint8_t key[HIL_KEY_BYTES]);

/* Goes on with the question: what a tag's reply answers. Needs no reply, so it may be done while
 * one is awaited. */
void hil_tag_ask(hil_blake2s_t *asked, const hil_blake2s_t *begun, uint32_t counter,
                 uint32_t sample, hil_bytes_t payload);

/* Takes the same time for every wrong tag. False for a reply without one. */
bool hil_tag_fits(const hil_blake2s_t *asked, const hil_reply_t *reply);

#endif
