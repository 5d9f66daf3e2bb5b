/*
 * The inner product of all dense kernels: two output channels times two pixels.
 *
 * Everything is int16 in pairs, so that each word loaded and each SMLAD does two products. Four sums
 * and four operands stay in registers; the order of the products goes round the four so that an operand
 * is replaced in the cycle of its last use, and each of the 8 SMLADs of a quad (four taps) shares its cycle
 * with one load: 2 MACs a cycle, the most that the one multiplier can do. Around the loop: 3 cycles to
 * fill, 2 an iteration, and a wrong prediction where there is more than one.
 *
 * Weights lie interleaved: for every pair of taps the word of the first channel, then of the second.
 * One word behind the pixels' windows and two behind the weights are read and not used.
 */
#ifndef HIL_BLOCK_H
#define HIL_BLOCK_H

#include <stdint.h>

#define HIL_INLINE static inline __attribute__((always_inline))

/*
 * GCC takes the length of assembly, for the reach of branches over it, from its separators, and sees those
 * inside .rept once. So many more stand for up to 36 quads.
 */
#define HIL_LENGTH_OF_4 ";;;;;;;;;;;;;;;;" ";;;;;;;;;;;;;;;;" ";;;;;;;;;;;;;;;;" ";;;;;;;;;;;;;;;;"
#define HIL_LENGTH_OF_36                                                                           \
    HIL_LENGTH_OF_4 HIL_LENGTH_OF_4 HIL_LENGTH_OF_4 HIL_LENGTH_OF_4 HIL_LENGTH_OF_4                \
        HIL_LENGTH_OF_4 HIL_LENGTH_OF_4 HIL_LENGTH_OF_4 HIL_LENGTH_OF_4

/* Sums of products: [channel][pixel]. */
typedef struct {
    int32_t c0p0, c0p1, c1p0, c1p1;
} hil_block_t;

/*
 * Adds the products of `quads` · 4 taps of the windows at `x` and `distance` bytes behind it. `unroll`
 * divides `quads`; all three are constants.
 */
HIL_INLINE hil_block_t hil_block(hil_block_t sums, const int16_t *x, const int16_t *w, int quads,
                                 int unroll, int distance) {
#if defined(__ARM_FEATURE_DSP)
    int32_t p, q, a, b, turns = quads / unroll;
    __asm__ volatile("ldr %[p], [%[x]]\n\t"
                     "ldr %[a], [%[w]]\n\t"
                     "ldr %[b], [%[w], #4]\n"
                     "1:\n\t"
                     ".if %c[turns] > 1\n\t"
                     "subs %[n], #1\n\t"
                     ".endif\n\t"
                     ".set hil_at, 0\n\t"
                     ".rept %c[unroll]\n\t"
                     "smlad %[c0p], %[a], %[p], %[c0p]\n\t"
                     "ldr %[q], [%[x], #%c[d] + hil_at]\n\t"
                     "smlad %[c1p], %[b], %[p], %[c1p]\n\t"
                     "ldr %[p], [%[x], #hil_at + 4]\n\t"
                     "smlad %[c1q], %[b], %[q], %[c1q]\n\t"
                     "ldr %[b], [%[w], #2 * hil_at + 12]\n\t"
                     "smlad %[c0q], %[a], %[q], %[c0q]\n\t"
                     "ldr %[a], [%[w], #2 * hil_at + 8]\n\t"
                     "smlad %[c1p], %[b], %[p], %[c1p]\n\t"
                     "ldr %[q], [%[x], #%c[d] + hil_at + 4]\n\t"
                     "smlad %[c0p], %[a], %[p], %[c0p]\n\t"
                     "ldr %[p], [%[x], #hil_at + 8]\n\t"
                     "smlad %[c0q], %[a], %[q], %[c0q]\n\t"
                     "ldr %[a], [%[w], #2 * hil_at + 16]\n\t"
                     "smlad %[c1q], %[b], %[q], %[c1q]\n\t"
                     "ldr %[b], [%[w], #2 * hil_at + 20]\n\t"
                     ".set hil_at, hil_at + 8\n\t"
                     ".endr\n\t"
                     ".if %c[turns] > 1\n\t"
                     "add %[x], #8 * %c[unroll]\n\t"
                     "add %[w], #16 * %c[unroll]\n\t"
                     "bne 1b\n\t"
                     ".endif\n\t" HIL_LENGTH_OF_36
                     : [x] "+r"(x), [w] "+r"(w), [n] "+r"(turns), [p] "=&r"(p), [q] "=&r"(q),
                       [a] "=&r"(a), [b] "=&r"(b), [c0p] "+r"(sums.c0p0), [c0q] "+r"(sums.c0p1),
                       [c1p] "+r"(sums.c1p0), [c1q] "+r"(sums.c1p1)
                     : [unroll] "n"(unroll), [turns] "n"(quads / unroll), [d] "n"(distance)
                     : "cc", "memory");
#else
    (void)unroll;
    for (int pair = 0; pair < 2 * quads; pair++) {
        for (int half = 0; half < 2; half++) {
            const int32_t first = x[2 * pair + half], second = x[distance / 2 + 2 * pair + half];
            const int32_t c0 = w[4 * pair + half], c1 = w[4 * pair + 2 + half];
            sums.c0p0 = (int32_t)((uint32_t)sums.c0p0 + (uint32_t)(c0 * first));
            sums.c0p1 = (int32_t)((uint32_t)sums.c0p1 + (uint32_t)(c0 * second));
            sums.c1p0 = (int32_t)((uint32_t)sums.c1p0 + (uint32_t)(c1 * first));
            sums.c1p1 = (int32_t)((uint32_t)sums.c1p1 + (uint32_t)(c1 * second));
        }
    }
#endif
    return sums;
}

#endif
