/* The session that replies have to belong to, where the firmware holds a key. */
#ifndef HIL_SESSION_H
#define HIL_SESSION_H

#include <stdbool.h>

#include "messages.h"

/* At HELLO: a nonce that no session has used. One that none began with stays, so that a repeated
 * HELLO is answered alike. */
void hil_session_greet(void);
/* HIL_NONCE_SOURCE_*; NONE: there is no key, and any reply is taken. */
uint8_t hil_session_nonce_source(void);
const uint8_t *hil_session_nonce(void);

/* At CONFIGURE: the key of the session. */
void hil_session_begin(const uint8_t server_nonce[HIL_NONCE_BYTES]);

/* The number of the next exchange. It never comes again until the next reset. */
uint32_t hil_session_count(void);

/* What is asked in the exchange of that number. Optional: saves time once the reply is there. */
void hil_session_ask(uint32_t counter, uint32_t sample, hil_bytes_t payload);

/* Whether a reply answers that payload, in the exchange of that number. */
bool hil_session_owns(uint32_t counter, hil_bytes_t payload, const hil_reply_t *reply);

#endif
