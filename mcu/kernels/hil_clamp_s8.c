#include "hil_kernels.h"

#include <string.h>

#if defined(__ARM_FEATURE_SIMD32)
#include <arm_acle.h>

/* Four lanes at once: SSUB8 sets a lane's GE flag where a >= b, SEL picks by it. */
static int32_t clamp_words(const int8_t *input, int32_t words, int8_t low, int8_t high,
                           int8_t *output) {
    const int8x4_t lows = (int8x4_t)((uint8_t)low * 0x01010101U);
    const int8x4_t highs = (int8x4_t)((uint8_t)high * 0x01010101U);
    for (int32_t i = 0; i < words; i++) {
        int8x4_t lanes;
        memcpy(&lanes, input + 4 * i, 4);
        (void)__ssub8(lanes, lows);
        lanes = (int8x4_t)__sel((uint8x4_t)lanes, (uint8x4_t)lows);
        (void)__ssub8(highs, lanes);
        lanes = (int8x4_t)__sel((uint8x4_t)lanes, (uint8x4_t)highs);
        memcpy(output + 4 * i, &lanes, 4);
    }
    return 4 * words;
}
#else
static int32_t clamp_words(const int8_t *input, int32_t words, int8_t low, int8_t high,
                           int8_t *output) {
    (void)input, (void)words, (void)low, (void)high, (void)output;
    return 0;
}
#endif

void hil_clamp_s8(const int8_t *input, int32_t count, int8_t low, int8_t high, int8_t *output) {
    for (int32_t i = clamp_words(input, count / 4, low, high, output); i < count; i++) {
        const int8_t floored = input[i] < low ? low : input[i];
        output[i] = floored > high ? high : floored;
    }
}
