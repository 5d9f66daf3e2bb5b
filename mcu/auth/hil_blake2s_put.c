#include <string.h>

#include "blake2s.h"

void hil_blake2s_put(hil_blake2s_t *state, hil_bytes_t bytes) {
    while (bytes.count != 0U) {
        if (state->filled == HIL_BLAKE2S_BLOCK_BYTES) { /* more follows, so it is not the last */
            hil_blake2s_compress(state, false);
            state->filled = 0;
        }
        const uint32_t room = HIL_BLAKE2S_BLOCK_BYTES - state->filled;
        const uint32_t count = bytes.count < room ? bytes.count : room;
        memcpy(state->block + state->filled, bytes.at, count);
        state->filled += count;
        bytes = (hil_bytes_t){bytes.at + count, bytes.count - count};
    }
}
