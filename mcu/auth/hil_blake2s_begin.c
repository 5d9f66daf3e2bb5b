#include <string.h>

#include "blake2s.h"
#include "blake2s_vector.h"

void hil_blake2s_begin(hil_blake2s_t *state, uint32_t digest_bytes, hil_bytes_t key) {
    static const uint32_t vector[8] = HIL_BLAKE2S_VECTOR;
    *state = (hil_blake2s_t){.digest_bytes = digest_bytes};
    memcpy(state->chain, vector, sizeof vector);
    state->chain[0] ^= 0x01010000U ^ key.count << 8 ^ digest_bytes;
    if (key.count != 0U) {
        memcpy(state->block, key.at, key.count);
        state->filled = HIL_BLAKE2S_BLOCK_BYTES;
    }
}
