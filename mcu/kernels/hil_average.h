/*
 * Average over a whole int8 map, channel by channel, as arm_avgpool_s8 rounds it: halves away from
 * zero.
 *
 * Four channels are a word; SXTAB16 adds two of its bytes at once to 16-bit sums, which hold 256
 * pixels. The division by a constant is a multiplication. About 1 cycle a value, and 10 a channel.
 */
#ifndef HIL_AVERAGE_H
#define HIL_AVERAGE_H

#include "hil_assembly.h"
#include "hil_expand.h"

/* A layer; every field is a constant where `hil_average` is called. */
typedef struct {
    int pixels, channels, low, high;
} hil_average_t;

enum { HIL_AVERAGE_PIXELS_MAX = 256 };

HIL_INLINE int8_t hil_mean(const hil_average_t *c, int32_t sum) {
    const int32_t half = c->pixels / 2;
    int32_t mean = (sum + (sum < 0 ? -half : half)) / c->pixels;
    if (c->low > -128) {
        mean = mean < c->low ? c->low : mean;
    }
    if (c->high < 127) {
        mean = mean > c->high ? c->high : mean;
    }
    return (int8_t)mean;
}

/* Sums of halves; those of `sums` may be any. */
HIL_INLINE uint32_t hil_add_halves(uint32_t sums, uint32_t values) {
#if defined(__ARM_FEATURE_DSP)
    uint32_t result;
    __asm__("sadd16 %0, %1, %2" : "=r"(result) : "r"(sums), "r"(values));
    return result;
#else
    return ((sums + values) & 0xFFFFU) | ((sums & 0xFFFF0000U) + (values & 0xFFFF0000U));
#endif
}

HIL_INLINE void hil_average_four(const hil_average_t *c, const int8_t *input, int8_t *output) {
    uint32_t even = 0, odd = 0;
    for (int i = 0; i < c->pixels; i++) {
        const uint32_t word = hil_word(input + i * c->channels);
        even = hil_add_halves(even, hil_even_bytes(word));
        odd = hil_add_halves(odd, hil_odd_bytes(word));
    }
    output[0] = hil_mean(c, (int16_t)even);
    output[1] = hil_mean(c, (int16_t)odd);
    output[2] = hil_mean(c, (int16_t)(even >> 16));
    output[3] = hil_mean(c, (int16_t)(odd >> 16));
}

/* `output` may be `input`. */
HIL_INLINE void hil_average(const hil_average_t *c, const int8_t *input, int8_t *output) {
    const int whole = c->pixels <= HIL_AVERAGE_PIXELS_MAX && c->channels % 4 == 0 ? c->channels : 0;
    for (int channel = 0; channel < whole; channel += 4) {
        hil_average_four(c, input + channel, output + channel);
    }
    for (int channel = whole; channel < c->channels; channel++) {
        int32_t sum = 0;
        for (int i = 0; i < c->pixels; i++) {
            sum += input[channel + i * c->channels];
        }
        output[channel] = hil_mean(c, sum);
    }
}

#endif
