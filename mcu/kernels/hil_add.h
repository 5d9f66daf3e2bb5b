/*
 * Sum of two int8 maps of different scales, bit for bit as arm_elementwise_add_s8 has it.
 *
 * Each value less its zero point and shifted left is multiplied and rounded, then both are summed,
 * multiplied and rounded again. With everything constant that is one SMMLAR each: the left shift
 * holds the doubling too, the second product takes the first as its accumulator, and the zero point
 * of the output is in the constant that rounds the last shift. About 7 cycles a value.
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

/* `value` / 2^shift, halves away from zero, plus `zero`. */
HIL_INLINE int32_t hil_round_shift(int32_t value, int shift, int zero) {
    if (shift == 0) {
        return value + zero;
    }
    const int32_t half = (1 << (shift - 1)) + zero * (1 << shift);
    return (value + (value >> 31) + half) >> shift;
}

/* Operand `i` on the common scale, plus `sum`. */
HIL_INLINE int32_t hil_add_operand(const hil_add_t *c, int i, int value, int32_t sum) {
    if (c->multiplier[i] == 1 << 30 && c->shift[i] == 0) {
        const int half = 1 << (c->left_shift - 1);
        return value * half + (sum - c->zero[i] * half);
    }
    const int unit = 1 << (c->left_shift + 1);
    const int32_t centred = value * unit - c->zero[i] * unit;
    if (c->shift[i] == 0) {
        return hil_requantise(centred, c->multiplier[i], sum);
    }
    return hil_round_shift(hil_requantise(centred, c->multiplier[i], 0), c->shift[i], 0) + sum;
}

HIL_INLINE int32_t hil_add_finish(const hil_add_t *c, int32_t scaled) {
    int32_t value = hil_saturate_s8(hil_round_shift(scaled, c->out_shift, c->out_zero));
    if (c->low > -128) {
        value = value < c->low ? c->low : value;
    }
    if (c->high < 127) {
        value = value > c->high ? c->high : value;
    }
    return value;
}

/* `lanes` values at a time, so that none waits for its own product. */
HIL_INLINE void hil_add_some(const hil_add_t *c, int lanes, const int8_t *first,
                             const int8_t *second, int8_t *output) {
    int32_t value[4], sum[4];
    for (int i = 0; i < lanes; i++) {
        sum[i] = first[i];
        value[i] = second[i];
    }
    for (int i = 0; i < lanes; i++) {
        sum[i] = hil_add_operand(c, 0, sum[i], 0);
    }
    for (int i = 0; i < lanes; i++) {
        sum[i] = hil_add_operand(c, 1, value[i], sum[i]);
    }
    for (int i = 0; i < lanes; i++) {
        sum[i] = hil_requantise(2 * sum[i], c->out_multiplier, 0);
    }
    for (int i = 0; i < lanes; i++) {
        output[i] = (int8_t)hil_add_finish(c, sum[i]);
    }
}

/* `output` may be either input. */
HIL_INLINE void hil_add(const hil_add_t *c, const int8_t *first, const int8_t *second,
                        int8_t *output) {
    const int whole = c->count & ~3;
    for (int i = 0; i < whole; i += 4) {
        hil_add_some(c, 4, first + i, second + i, output + i);
    }
    for (int i = whole; i < c->count; i++) {
        hil_add_some(c, 1, first + i, second + i, output + i);
    }
}

#endif
