/* Kernels that CMSIS-NN has not, in its manner: int8 maps in HWC order, no state, no scratch. */
#ifndef HIL_KERNELS_H
#define HIL_KERNELS_H

#include <stdint.h>

/* A map with `top`, `bottom`, `left` and `right` rows and columns of `value` around it. */
void hil_pad_s8(const int8_t *input, int32_t height, int32_t width, int32_t channels, int32_t top,
                int32_t bottom, int32_t left, int32_t right, int8_t value, int8_t *output);

/* Every value brought into low..high. `output` may be `input`. */
void hil_clamp_s8(const int8_t *input, int32_t count, int8_t low, int8_t high, int8_t *output);

/* Channels begin..end-1 of every pixel. */
void hil_slice_channels_s8(const int8_t *input, int32_t pixels, int32_t channels, int32_t begin,
                           int32_t end, int8_t *output);

#endif
