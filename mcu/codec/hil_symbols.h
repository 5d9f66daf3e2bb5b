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
