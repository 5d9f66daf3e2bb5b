/*
 * The Cortex-M7's 16-bit SIMD instructions as functions. Arm's own intrinsics are volatile or model the
 * saturation flag, and GCC then neither moves nor drops them. A word holds two signed halves, B below
 * and T above.
 */
#ifndef HIL_DSP_H
#define HIL_DSP_H

#include <stdint.h>
#include <string.h>

#define HIL_MULTIPLY_ACCUMULATE(instruction)                                                       \
    static inline int32_t hil_##instruction(uint32_t x, uint32_t y, int32_t sum) {                 \
        int32_t result;                                                                            \
        __asm__(#instruction " %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(y), "r"(sum));         \
        return result;                                                                             \
    }

/* sum + x.B * y.B + x.T * y.T */
HIL_MULTIPLY_ACCUMULATE(smlad)
/* sum + one half of x times one half of y */
HIL_MULTIPLY_ACCUMULATE(smlabb)
HIL_MULTIPLY_ACCUMULATE(smlabt)
HIL_MULTIPLY_ACCUMULATE(smlatb)
HIL_MULTIPLY_ACCUMULATE(smlatt)

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

/* B of `low`, and above it B of `high`. */
static inline uint32_t hil_pair(int32_t low, int32_t high) {
    uint32_t result;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(low), "r"(high));
    return result;
}

/* Brought into 0..255. */
static inline uint32_t hil_saturate_u8(int32_t value) {
    uint32_t result;
    __asm__("usat %0, #8, %1" : "=r"(result) : "r"(value));
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
