/*
 * Sum of two int8 maps of different scales, bit for bit as arm_elementwise_add_s8 has it.
 *
 * Each value less its zero point and shifted left is multiplied and rounded, then both are summed,
 * multiplied and rounded again. With everything constant that is one SMMLAR each: the left shift
 * holds the doubling too, the second product takes the first as its accumulator, and the zero point
 * of the output is in the constant that rounds the last shift. 8.5 cycles a value.
 */
#ifndef HIL_ADD_H
#define HIL_ADD_H

#include "hil_assembly.h"
#include "hil_requantise.h"

/* A layer; every field is a constant where `hil_add` is called. Shifts are to the right. */
typedef struct {
    int count, left_shift;
    int zero[2], multiplier[2], shift[2];
    int out_zero, out_multiplier, out_shift, low, high;
} hil_add_t;

/* Constants of the loop, of which registers hold only one at a time. */
typedef struct {
    int32_t offset[2], half, multiplier[2], out_multiplier;
} hil_add_constants_t;

/* `value` / 2^shift, halves away from zero. */
HIL_INLINE int32_t hil_round_shift(int32_t value, int shift) {
    return shift == 0 ? value : (value + (value >> 31) + (1 << (shift - 1))) >> shift;
}

/* The first operand may have the larger scale, of which the common one is the double. */
HIL_INLINE int hil_is_half(const hil_add_t *c, int i) {
    return i == 0 && c->multiplier[0] == 1 << 30 && c->shift[0] == 0;
}

/* Operand `i` on the common scale, plus `sum`. `offset`: what its zero point is worth there. */
HIL_INLINE int32_t hil_add_operand(const hil_add_t *c, int i, int value, int32_t offset,
                                   int32_t sum) {
    if (hil_is_half(c, i)) {
        return offset + value * (1 << (c->left_shift - 1)) + sum;
    }
    const int32_t centred = offset + value * (1 << (c->left_shift + 1));
    if (c->shift[i] == 0) {
        return hil_requantise(centred, c->multiplier[i], sum);
    }
    return hil_round_shift(hil_requantise(centred, c->multiplier[i], 0), c->shift[i]) + sum;
}

/*
 * `sum` on the output's scale. Its sign is the product's, or the product is 0, where the sign does
 * not matter; so the half to be added, and the zero point, go into the product's accumulator.
 */
HIL_INLINE int8_t hil_add_finish(const hil_add_t *c, int32_t sum, int32_t half) {
    const int32_t away = c->out_shift == 0 ? 0 : sum >> 31;
    int32_t value = hil_requantise(2 * sum, c->out_multiplier, half + away) >> c->out_shift;
    value = hil_saturate_s8(value);
    if (c->low > -128) {
        value = value < c->low ? c->low : value;
    }
    if (c->high < 127) {
        value = value > c->high ? c->high : value;
    }
    return (int8_t)value;
}

HIL_INLINE int32_t hil_add_offset(const hil_add_t *c, int i) {
    return -c->zero[i] * (1 << (hil_is_half(c, i) ? c->left_shift - 1 : c->left_shift + 1));
}

#if defined(__ARM_FEATURE_DSP)
/*
 * `fours` times four values, for operands without a shift: GCC would finish each before it begins
 * the next, and wait for every product.
 */
HIL_INLINE void hil_add_fours(const hil_add_t *c, const hil_add_constants_t *k, int fours,
                              const int8_t *first, const int8_t *second, int8_t *output) {
    int32_t s0, s1, s2, s3, v0, v1, v2, v3, t;
    __asm__ volatile(
        "0:\n\t"
        "ldr %[t], [%[k]]\n\t"
        "subs %[fours], #1\n\t"
        "ldrsb %[s0], [%[first]]\n\t"
        "ldrsb %[s1], [%[first], #1]\n\t"
        "ldrsb %[s2], [%[first], #2]\n\t"
        "add %[s0], %[t], %[s0], lsl %[shift0]\n\t"
        "ldrsb %[s3], [%[first], #3]\n\t"
        "add %[s1], %[t], %[s1], lsl %[shift0]\n\t"
        "ldrsb %[v0], [%[second]]\n\t"
        "add %[s2], %[t], %[s2], lsl %[shift0]\n\t"
        "ldrsb %[v1], [%[second], #1]\n\t"
        "add %[s3], %[t], %[s3], lsl %[shift0]\n\t"
        "ldr %[t], [%[k], #4]\n\t"
        "add %[first], #4\n\t"
        "ldrsb %[v2], [%[second], #2]\n\t"
        "add %[v0], %[t], %[v0], lsl %[shift1]\n\t"
        "ldrsb %[v3], [%[second], #3]\n\t"
        "add %[v1], %[t], %[v1], lsl %[shift1]\n\t"
        "add %[second], #4\n\t"
        "add %[v2], %[t], %[v2], lsl %[shift1]\n\t"
        "add %[v3], %[t], %[v3], lsl %[shift1]\n\t"
        ".if %c[half] == 0\n\t"
        "ldr %[t], [%[k], #12]\n\t"
        "smmulr %[s0], %[s0], %[t]\n\t"
        "smmulr %[s1], %[s1], %[t]\n\t"
        "smmulr %[s2], %[s2], %[t]\n\t"
        "smmulr %[s3], %[s3], %[t]\n\t"
        ".endif\n\t"
        "ldr %[t], [%[k], #16]\n\t"
        "smmlar %[s0], %[v0], %[t], %[s0]\n\t"
        "smmlar %[s1], %[v1], %[t], %[s1]\n\t"
        "smmlar %[s2], %[v2], %[t], %[s2]\n\t"
        "smmlar %[s3], %[v3], %[t], %[s3]\n\t"
        "ldr %[t], [%[k], #8]\n\t"
        "add %[v0], %[t], %[s0], asr #31\n\t"
        "lsl %[s0], #1\n\t"
        "add %[v1], %[t], %[s1], asr #31\n\t"
        "lsl %[s1], #1\n\t"
        "add %[v2], %[t], %[s2], asr #31\n\t"
        "lsl %[s2], #1\n\t"
        "add %[v3], %[t], %[s3], asr #31\n\t"
        "ldr %[t], [%[k], #20]\n\t"
        "lsl %[s3], #1\n\t"
        "smmlar %[s0], %[s0], %[t], %[v0]\n\t"
        "smmlar %[s1], %[s1], %[t], %[v1]\n\t"
        "smmlar %[s2], %[s2], %[t], %[v2]\n\t"
        "ssat %[s0], #8, %[s0], asr %[shift]\n\t"
        "smmlar %[s3], %[s3], %[t], %[v3]\n\t"
        "ssat %[s1], #8, %[s1], asr %[shift]\n\t"
        "strb %[s0], [%[output]]\n\t"
        "ssat %[s2], #8, %[s2], asr %[shift]\n\t"
        "strb %[s1], [%[output], #1]\n\t"
        "ssat %[s3], #8, %[s3], asr %[shift]\n\t"
        "strb %[s2], [%[output], #2]\n\t"
        "strb %[s3], [%[output], #3]\n\t"
        "add %[output], #4\n\t"
        "bne 0b"
        : [first] "+r"(first), [second] "+r"(second), [output] "+r"(output), [fours] "+r"(fours),
          [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [v0] "=&r"(v0),
          [v1] "=&r"(v1), [v2] "=&r"(v2), [v3] "=&r"(v3), [t] "=&r"(t)
        : [k] "r"(k), [half] "n"(hil_is_half(c, 0)),
          [shift0] "n"(hil_is_half(c, 0) ? c->left_shift - 1 : c->left_shift + 1),
          [shift1] "n"(c->left_shift + 1), [shift] "n"(c->out_shift)
        : "cc", "memory");
}
#endif

/* `output` may be either input. */
HIL_INLINE void hil_add(const hil_add_t *c, const int8_t *first, const int8_t *second,
                        int8_t *output) {
    const int32_t half = c->out_shift == 0 ? 0 : 1 << (c->out_shift - 1);
    const hil_add_constants_t k = {
        .offset = {hil_add_offset(c, 0), hil_add_offset(c, 1)},
        .half = half + c->out_zero * (1 << c->out_shift),
        .multiplier = {c->multiplier[0], c->multiplier[1]},
        .out_multiplier = c->out_multiplier,
    };
    int done = 0;
#if defined(__ARM_FEATURE_DSP)
    const int is_rounded_once = c->shift[0] == 0 && c->shift[1] == 0 && c->out_shift > 0;
    if (is_rounded_once && c->low == -128 && c->high == 127 && c->count >= 4) {
        hil_add_fours(c, &k, c->count / 4, first, second, output);
        done = c->count & ~3;
    }
#endif
    for (int i = done; i < c->count; i++) {
        const int32_t sum = hil_add_operand(c, 0, first[i], k.offset[0], 0);
        output[i] = hil_add_finish(c, hil_add_operand(c, 1, second[i], k.offset[1], sum), k.half);
    }
}

#endif
