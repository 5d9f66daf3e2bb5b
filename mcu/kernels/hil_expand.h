/*
 * int8 to int16, four values at a time: SXTB16 takes bytes 0 and 2 of a word, and 1 and 3 of the
 * word rotated. Taps therefore come in the order 0, 2, 1, 3; weights and inputs alike, so that
 * nothing needs to be sorted. About 5 cycles for 8 values.
 */
#ifndef HIL_EXPAND_H
#define HIL_EXPAND_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP)
static inline uint32_t hil_even_bytes(uint32_t word) {
    uint32_t result;
    __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(word));
    return result;
}

static inline uint32_t hil_odd_bytes(uint32_t word) {
    uint32_t result;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
    return result;
}
/* The lower halves of two words, and the upper ones. */
static inline uint32_t hil_low_halves(uint32_t first, uint32_t second) {
    uint32_t result;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(first), "r"(second));
    return result;
}

static inline uint32_t hil_high_halves(uint32_t first, uint32_t second) {
    uint32_t result;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(result) : "r"(second), "r"(first));
    return result;
}
#else
static inline uint32_t hil_even_bytes(uint32_t word) {
    return ((uint32_t)(int8_t)word & 0xFFFFU) | (uint32_t)(int8_t)(word >> 16) << 16;
}

static inline uint32_t hil_odd_bytes(uint32_t word) {
    return hil_even_bytes(word >> 8);
}

static inline uint32_t hil_low_halves(uint32_t first, uint32_t second) {
    return (first & 0xFFFFU) | second << 16;
}

static inline uint32_t hil_high_halves(uint32_t first, uint32_t second) {
    return first >> 16 | (second & 0xFFFF0000U);
}
#endif

static inline uint32_t hil_load_word(const void *from) {
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(from, 4), 4);
    return word;
}

static inline void hil_store_word(void *to, uint32_t word) {
    memcpy(__builtin_assume_aligned(to, 4), &word, 4);
}

/*
 * `count` values, a multiple of 4 and a constant, between word boundaries. Every SXTB16 shares its
 * cycle with a load or a store.
 */
static inline __attribute__((always_inline)) void hil_expand(const int8_t *from, int32_t count,
                                                             int16_t *to) {
#pragma GCC unroll 8
    for (int32_t i = 0; i < count; i += 4) {
        const uint32_t word = hil_load_word(from + i);
        hil_store_word(to + i, hil_even_bytes(word));
        hil_store_word(to + i + 2, hil_odd_bytes(word));
    }
}

/* Weights of two channels: a word of either in turn becomes two words of either in turn. */
static inline __attribute__((always_inline)) void hil_expand_weights(const int8_t *from,
                                                                     int32_t quads, int16_t *to) {
#pragma GCC unroll 4
    for (int32_t i = 0; i < quads; i++) {
        const uint32_t first = hil_load_word(from + 8 * i),
                       second = hil_load_word(from + 8 * i + 4);
        hil_store_word(to + 8 * i, hil_even_bytes(first));
        hil_store_word(to + 8 * i + 4, hil_odd_bytes(first));
        hil_store_word(to + 8 * i + 2, hil_even_bytes(second));
        hil_store_word(to + 8 * i + 6, hil_odd_bytes(second));
    }
}

#endif
