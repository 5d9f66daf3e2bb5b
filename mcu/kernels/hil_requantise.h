/*
 * Requantisation of a layer whose multipliers have shift 0: one instruction, and one to saturate.
 *
 * TFLite's doubling high multiply rounds (a * m + 2^30) >> 31. Of 2m, which the caller stores
 * instead of m (so m < 2^30, a ratio below a half), that is the upper word of a * 2m + 2^31:
 * SMMLAR, which adds the zero point in the same cycle. GCC 12 does not always find it, hence the
 * assembly.
 */
#ifndef HIL_REQUANTISE_H
#define HIL_REQUANTISE_H

#include <stdint.h>

/* zero_point + accumulator · doubled_multiplier / 2^32, rounded half up. Not saturated. */
static inline int32_t hil_requantise(int32_t accumulator, int32_t doubled_multiplier,
                                     int32_t zero_point) {
#if defined(__ARM_FEATURE_DSP)
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3"
            : "=r"(result)
            : "r"(accumulator), "r"(doubled_multiplier), "r"(zero_point));
    return result;
#else
    const int64_t half = 0x80000000, one = 0x100000000;
    return (int32_t)(((int64_t)accumulator * doubled_multiplier + zero_point * one + half) >> 32);
#endif
}

/* Brought into int8. */
static inline int32_t hil_saturate_s8(int32_t value) {
#if defined(__ARM_FEATURE_SAT)
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
#else
    return value < -128 ? -128 : value > 127 ? 127 : value;
#endif
}

#endif
