/*
 * int8 to int16, four values at a time: SXTB16 takes bytes 0 and 2 of a word, and 1 and 3 of the
 * word rotated. Taps therefore come in the order 0, 2, 1, 3; weights and inputs alike, so that
 * nothing needs to be sorted.
 */
#ifndef HIL_EXPAND_H
#define HIL_EXPAND_H

#include "hil_assembly.h"
#include "hil_dsp.h"

#if defined(__ARM_FEATURE_DSP)
HIL_INLINE uint32_t hil_even_bytes(uint32_t word) {
    return hil_sxtb16(word);
}

HIL_INLINE uint32_t hil_odd_bytes(uint32_t word) {
    return hil_sxtb16_ror8(word);
}
#else
HIL_INLINE uint32_t hil_even_bytes(uint32_t word) {
    return ((uint32_t)(int8_t)word & 0xFFFFU) | (uint32_t)(int8_t)(word >> 16) << 16;
}

HIL_INLINE uint32_t hil_odd_bytes(uint32_t word) {
    return hil_even_bytes(word >> 8);
}
#endif

/*
 * `pairs` pairs of words (a constant): four int8 each, in two words of int16. Of the first word of
 * a pair they go to byte 0 and `odd`, of the second to `second` and `second` + `odd`, of every 16
 * bytes. 5 cycles a pair: each SXTB16 shares its cycle with a load or a store.
 */
HIL_INLINE void hil_expand_unrolled(const int8_t *from, int pairs, int second, int odd,
                                    int16_t *to) {
#if defined(__ARM_FEATURE_DSP)
    int32_t a, b, e, o, f;
    __asm__ volatile(
        "ldr %[a], [%[from]]\n\t"
        "ldr %[b], [%[from], #4]\n\t"
        ".set hil_at, 0\n\t"
        ".rept %c[pairs]\n\t"
        "sxtb16 %[e], %[a]\n\t"
        ".if hil_at > 0\n\t"
        "str %[f], [%[to], #hil_at - 16 + %c[second] + %c[odd]]\n\t"
        ".endif\n\t"
        "sxtb16 %[o], %[a], ror #8\n\t"
        "str %[e], [%[to], #hil_at]\n\t"
        "sxtb16 %[e], %[b]\n\t"
        ".if hil_at < 16 * (%c[pairs] - 1)\n\t"
        "ldr %[a], [%[from], #hil_at / 2 + 8]\n\t"
        ".endif\n\t"
        "sxtb16 %[f], %[b], ror #8\n\t"
        "str %[o], [%[to], #hil_at + %c[odd]]\n\t"
        ".if hil_at < 16 * (%c[pairs] - 1)\n\t"
        "ldr %[b], [%[from], #hil_at / 2 + 12]\n\t"
        ".endif\n\t"
        "str %[e], [%[to], #hil_at + %c[second]]\n\t"
        ".set hil_at, hil_at + 16\n\t"
        ".endr\n\t"
        "str %[f], [%[to], #hil_at - 16 + %c[second] + %c[odd]]\n\t" HIL_LENGTH_OF_4
        : [a] "=&r"(a), [b] "=&r"(b), [e] "=&r"(e), [o] "=&r"(o), [f] "=&r"(f)
        : [from] "r"(from), [to] "r"(to), [pairs] "n"(pairs), [second] "n"(second), [odd] "n"(odd)
        : "memory");
#else
    for (int i = 0; i < pairs; i++) {
        for (int word = 0; word < 2; word++) {
            const uint32_t values = hil_word(from + 8 * i + 4 * word);
            char *const at = (char *)to + 16 * i + second * word;
            hil_store_word(at, hil_even_bytes(values));
            hil_store_word(at + odd, hil_odd_bytes(values));
        }
    }
#endif
}

enum { HIL_EXPANDED_AT_ONCE = 8 };

/* The same for any number of pairs. */
HIL_INLINE void hil_expand_pairs(const int8_t *from, int pairs, int second, int odd, int16_t *to) {
    const int left = pairs % HIL_EXPANDED_AT_ONCE;
    for (int i = 0; i < pairs - left; i += HIL_EXPANDED_AT_ONCE) {
        hil_expand_unrolled(from, HIL_EXPANDED_AT_ONCE, second, odd, to);
        from += 8 * HIL_EXPANDED_AT_ONCE;
        to += 8 * HIL_EXPANDED_AT_ONCE;
    }
    if (left) {
        hil_expand_unrolled(from, left, second, odd, to);
    }
}

/* `count` values, a multiple of 4 and a constant, between word boundaries. */
HIL_INLINE void hil_expand(const int8_t *from, int count, int16_t *to) {
    hil_expand_pairs(from, count / 8, 8, 4, to);
    if (count % 8) {
        const uint32_t word = hil_word(from + count - 4);
        hil_store_word(to + count - 4, hil_even_bytes(word));
        hil_store_word(to + count - 2, hil_odd_bytes(word));
    }
}

/* Weights of two channels, a word of either in turn, to two words of either in turn. */
HIL_INLINE void hil_expand_weights(const int8_t *from, int quads, int16_t *to) {
    hil_expand_pairs(from, quads, 4, 8, to);
}

#endif
