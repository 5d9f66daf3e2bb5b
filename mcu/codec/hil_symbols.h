/* Four symbols of a word at a time. */
#ifndef HIL_SYMBOLS_H
#define HIL_SYMBOLS_H

#include <stdint.h>
#include <string.h>
#ifdef __ARM_FEATURE_SIMD32
#include <arm_acle.h>
#endif

static inline uint32_t hil_four_symbols(const uint8_t *symbols) {
    uint32_t four;
    memcpy(&four, symbols, sizeof four);
    return four;
}

/* The `count` (0 to 3) last symbols of a row, then zeros. */
static inline uint32_t hil_few_symbols(const uint8_t *symbols, uint32_t count) {
    uint32_t few = 0;
    for (uint32_t i = 0; i < count; i++) {
        few |= (uint32_t)symbols[i] << 8U * i;
    }
    return few;
}

/* Byte by byte, at most 255. */
static inline uint32_t hil_add_saturated(uint32_t four, uint32_t other) {
#ifdef __ARM_FEATURE_SIMD32
    return __uqadd8(four, other);
#else
    uint32_t sums = 0;
    for (uint32_t shift = 0; shift < 32U; shift += 8U) {
        const uint32_t sum = (four >> shift & 0xFFU) + (other >> shift & 0xFFU);
        sums |= (sum < 255U ? sum : 255U) << shift;
    }
    return sums;
#endif
}

/* Whether one of them is above the greatest symbol, which `greatest` holds four times. */
static inline int hil_has_foreign(uint32_t four, uint32_t greatest) {
#ifdef __ARM_FEATURE_SIMD32
    return __uqsub8(four, greatest) != 0U;
#else
    const uint32_t most = greatest & 0xFFU;
    return (four & 0xFFU) > most || (four >> 8 & 0xFFU) > most || (four >> 16 & 0xFFU) > most ||
           four >> 24 > most;
#endif
}

#endif
