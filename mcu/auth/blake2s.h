/* BLAKE2s (RFC 7693), keyed or not, of messages up to 4 GB. The state may be copied at any time:
 * both copies go on from there. */
#ifndef HIL_BLAKE2S_H
#define HIL_BLAKE2S_H

#include <stdbool.h>

#include "bytes.h"

#define HIL_BLAKE2S_BLOCK_BYTES 64U

typedef struct {
    uint32_t chain[8];
    uint32_t count; /* bytes in whole blocks so far, and of the open one when it is the last */
    uint32_t filled;
    uint32_t digest_bytes;
    uint8_t block[HIL_BLAKE2S_BLOCK_BYTES];
} hil_blake2s_t;

/* A digest of 1 to 32 bytes; a key of 0 to 32. */
void hil_blake2s_begin(hil_blake2s_t *state, uint32_t digest_bytes, hil_bytes_t key);
void hil_blake2s_put(hil_blake2s_t *state, hil_bytes_t bytes);
/* The digest; the state is used up. */
void hil_blake2s_end(hil_blake2s_t *state, uint8_t *digest);

/* The compression function F of RFC 7693 3.2 on the open block. */
void hil_blake2s_compress(hil_blake2s_t *state, bool last);

#endif
