#include "blake2s.h"
#include "blake2s_vector.h"

#define ROUNDS 10U

/* Which words of the message a round takes, in which order (RFC 7693 2.7). */
static const uint8_t schedule[ROUNDS][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint32_t turn(uint32_t word, uint32_t bits) {
    return word >> bits | word << (32U - bits);
}

/* G of RFC 7693 3.1. */
static inline void mix(uint32_t *v, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t x,
                       uint32_t y) {
    v[a] += v[b] + x;
    v[d] = turn(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = turn(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = turn(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = turn(v[b] ^ v[c], 7);
}

void hil_blake2s_compress(hil_blake2s_t *state, bool last) {
    static const uint32_t vector[8] = HIL_BLAKE2S_VECTOR;
    uint32_t v[16], m[16];
    state->count += state->filled;
    for (uint32_t i = 0; i < 8U; i++) {
        v[i] = state->chain[i];
        v[i + 8U] = vector[i];
    }
    v[12] ^= state->count;
    v[14] ^= last ? UINT32_MAX : 0U;
    for (uint32_t i = 0; i < 16U; i++) {
        m[i] = hil_get32(state->block + 4U * i);
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const uint8_t *const s = schedule[round];
        mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
        mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
        mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
        mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
        mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
        mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
        mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
        mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (uint32_t i = 0; i < 8U; i++) {
        state->chain[i] ^= v[i] ^ v[i + 8U];
    }
}
