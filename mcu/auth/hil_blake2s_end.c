#include <string.h>

#include "blake2s.h"

void hil_blake2s_end(hil_blake2s_t *state, uint8_t *digest) {
    memset(state->block + state->filled, 0, HIL_BLAKE2S_BLOCK_BYTES - state->filled);
    hil_blake2s_compress(state, true);
    for (uint32_t i = 0; i < state->digest_bytes; i++) {
        digest[i] = (uint8_t)(state->chain[i / 4U] >> 8U * (i % 4U));
    }
}
