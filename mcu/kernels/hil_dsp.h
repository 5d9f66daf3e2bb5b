/*
 * Bytes to halves, and aligned words. Arm's own SXTB16 is volatile to GCC, which then neither moves
 * nor drops it. A word holds two signed halves, B below and T above.
 */
#ifndef HIL_DSP_H
#define HIL_DSP_H

#include <stdint.h>
#include <string.h>

/* Bytes 0 and 2, and bytes 1 and 3, sign-extended into B and T. */
static inline uint32_t hil_sxtb16(uint32_t bytes) {
    uint32_t result;
    __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(bytes));
    return result;
}

static inline uint32_t hil_sxtb16_ror8(uint32_t bytes) {
    uint32_t result;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(bytes));
    return result;
}

/* An aligned word, whatever lies there. */
static inline uint32_t hil_word(const void *at) {
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(at, 4), sizeof word);
    return word;
}

static inline void hil_store_word(void *at, uint32_t word) {
    memcpy(__builtin_assume_aligned(at, 4), &word, sizeof word);
}

#endif
