/*
 * The inner loop of all dense kernels: a row of pixels under two output channels, two pixels at a
 * time.
 *
 * Everything is int16 in pairs, so that each word loaded and each SMLAD does two products. Four
 * sums and four operands stay in registers; the order of the products goes round the four so that
 * an operand is replaced in the cycle of its last use. Each of the 8 SMLADs of a quad (four taps)
 * then shares its cycle with one load: 2 MACs a cycle, the most that the one multiplier can do.
 * Around them: 12 cycles to fill, requantise and store, and 2 an iteration and a wrong prediction
 * where the quads are not all unrolled.
 *
 * Loads run ahead of their use, so the word behind a window is read too. What is read behind the
 * weights are the multipliers, when they are needed.
 */
#ifndef HIL_BLOCK_H
#define HIL_BLOCK_H

#include <string.h>

#include "hil_assembly.h"
#include "hil_requantise.h"

/* All constants where it is used. Distances in bytes. */
typedef struct {
    int quads, unroll;   /* of taps, and how many in the unrolled loop: a divisor */
    int distance;        /* between the windows of neighbouring pixels */
    int depth;           /* between neighbouring pixels of the output */
    int zero, low, high; /* zero point and clamp of the output */
    int channels;        /* 1: there is no second one */
} hil_block_t;

/*
 * `pairs` pairs of pixels. `x`: windows. `w`: for every pair of taps a word of the first channel
 * and one of the second; before them the two biases, behind them the two doubled multipliers.
 */
HIL_INLINE void hil_block_row(const hil_block_t *c, const int16_t *x, const int16_t *w, int pairs,
                              int8_t *output);

#if defined(__ARM_FEATURE_DSP)

HIL_INLINE void hil_block_row(const hil_block_t *c, const int16_t *x, const int16_t *w, int pairs,
                              int8_t *output) {
    int32_t p, q, a, b, n, c0p, c0q, c1p, c1q;
    /* clang-format off */
    __asm__ volatile(
        "ldr %[a], [%[w]]\n\t"
        "ldr %[c1q], [%[w], #-4]\n\t"
        "ldr %[c0q], [%[w], #-8]\n\t"
        "ldr %[b], [%[w], #4]\n\t"
        "ldr %[p], [%[x]]\n"
        "0:\n\t"
        ".if %c[turns] > 1\n\t"
        "mov %[c0p], %[c0q]\n\t"
        "mov %[c1p], %[c1q]\n\t"
        "mov %[n], #%c[turns]\n"
        "1:\n\t"
        "subs %[n], #1\n\t"
        ".endif\n\t"
        ".set hil_at, 0\n\t"
        ".rept %c[unroll]\n\t"
        ".if %c[turns] == 1 && hil_at == 0\n\t"
        "smlad %[c0p], %[a], %[p], %[c0q]\n\t"
        ".else\n\t"
        "smlad %[c0p], %[a], %[p], %[c0p]\n\t"
        ".endif\n\t"
        "ldr %[q], [%[x], #%c[distance] + hil_at]\n\t"
        ".if %c[turns] == 1 && hil_at == 0\n\t"
        "smlad %[c1p], %[b], %[p], %[c1q]\n\t"
        ".else\n\t"
        "smlad %[c1p], %[b], %[p], %[c1p]\n\t"
        ".endif\n\t"
        "ldr %[p], [%[x], #hil_at + 4]\n\t"
        "smlad %[c1q], %[b], %[q], %[c1q]\n\t"
        "ldr %[b], [%[w], #2 * hil_at + 12]\n\t"
        "smlad %[c0q], %[a], %[q], %[c0q]\n\t"
        "ldr %[a], [%[w], #2 * hil_at + 8]\n\t"
        "smlad %[c1p], %[b], %[p], %[c1p]\n\t"
        "ldr %[q], [%[x], #%c[distance] + hil_at + 4]\n\t"
        "smlad %[c0p], %[a], %[p], %[c0p]\n\t"
        "ldr %[p], [%[x], #hil_at + 8]\n\t"
        "smlad %[c0q], %[a], %[q], %[c0q]\n\t"
        "ldr %[a], [%[w], #2 * hil_at + 16]\n\t"
        "smlad %[c1q], %[b], %[q], %[c1q]\n\t"
        "ldr %[b], [%[w], #2 * hil_at + 20]\n\t"
        ".set hil_at, hil_at + 8\n\t"
        ".endr\n\t"
        ".if %c[turns] > 1\n\t"
        "add %[x], #hil_at\n\t"
        "add %[w], #2 * hil_at\n\t"
        "bne 1b\n\t"
        "sub %[x], #%c[turns] * hil_at\n\t"
        "sub %[w], #%c[turns] * 2 * hil_at\n\t"
        ".endif\n\t"
        "mov %[q], #%c[zero]\n\t"
        "smmlar %[c0p], %[c0p], %[a], %[q]\n\t"
        "add %[x], #2 * %c[distance]\n\t"
        "smmlar %[c1p], %[c1p], %[b], %[q]\n\t"
        "ssat %[c0p], #8, %[c0p]\n\t"
        "smmlar %[c0q], %[c0q], %[a], %[q]\n\t"
        "ssat %[c1p], #8, %[c1p]\n\t"
        "smmlar %[c1q], %[c1q], %[b], %[q]\n\t"
        HIL_CLAMP("c0p")
        HIL_CLAMP("c1p")
        "ssat %[c0q], #8, %[c0q]\n\t"
        "strb %[c0p], [%[output]]\n\t"
        "ssat %[c1q], #8, %[c1q]\n\t"
        "ldr %[p], [%[x]]\n\t"
        HIL_CLAMP("c0q")
        HIL_CLAMP("c1q")
        "subs %[pairs], #1\n\t"
        "ldr %[a], [%[w]]\n\t"
        "strb %[c0q], [%[output], #%c[depth]]\n\t"
        "ldr %[c0q], [%[w], #-8]\n\t"
        ".if %c[channels] > 1\n\t"
        "strb %[c1p], [%[output], #1]\n\t"
        "ldr %[b], [%[w], #4]\n\t"
        "strb %[c1q], [%[output], #%c[depth] + 1]\n\t"
        ".else\n\t"
        "ldr %[b], [%[w], #4]\n\t"
        ".endif\n\t"
        "ldr %[c1q], [%[w], #-4]\n\t"
        "add %[output], #2 * %c[depth]\n\t"
        "bne 0b\n\t" HIL_LENGTH_OF_36
        : [x] "+r"(x), [w] "+r"(w), [pairs] "+r"(pairs), [output] "+r"(output),
          [n] "=&r"(n), [p] "=&r"(p), [q] "=&r"(q), [a] "=&r"(a), [b] "=&r"(b),
          [c0p] "=&r"(c0p), [c0q] "=&r"(c0q), [c1p] "=&r"(c1p), [c1q] "=&r"(c1q)
        : [unroll] "n"(c->unroll), [turns] "n"(c->quads / c->unroll),
          [distance] "n"(c->distance), [depth] "n"(c->depth), [zero] "n"(c->zero),
          [low] "n"(c->low), [high] "n"(c->high), [channels] "n"(c->channels)
        : "cc", "memory");
    /* clang-format on */
}

#else

HIL_INLINE int8_t hil_block_finish(const hil_block_t *c, uint32_t sum, int32_t multiplier) {
    const int32_t value = hil_saturate_s8(hil_requantise((int32_t)sum, multiplier, c->zero));
    return (int8_t)(value < c->low ? c->low : value > c->high ? c->high : value);
}

HIL_INLINE void hil_block_row(const hil_block_t *c, const int16_t *x, const int16_t *w, int pairs,
                              int8_t *output) {
    int32_t bias[2], multiplier[2];
    memcpy(bias, w - 4, sizeof bias);
    memcpy(multiplier, w + 8 * c->quads, sizeof multiplier);
    for (int pixel = 0; pixel < 2 * pairs; pixel++) {
        for (int channel = 0; channel < c->channels; channel++) {
            uint32_t sum = (uint32_t)bias[channel];
            for (int i = 0; i < 4 * c->quads; i++) {
                const int tap = w[4 * (i / 2) + 2 * channel + i % 2];
                sum += (uint32_t)(tap * x[pixel * (c->distance / 2) + i]);
            }
            output[pixel * c->depth + channel] = hil_block_finish(c, sum, multiplier[channel]);
        }
    }
}

#endif

#endif
