#include "hil_kernels.h"

#include <string.h>

void hil_slice_channels_s8(const int8_t *input, int32_t pixels, int32_t channels, int32_t begin,
                           int32_t end, int8_t *output) {
    const int32_t kept = end - begin;
    input += begin;
    for (int32_t p = 0; p < pixels; p++) {
        memmove(output, input, (uint32_t)kept);
        input += channels;
        output += kept;
    }
}
