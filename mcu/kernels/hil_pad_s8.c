#include "hil_kernels.h"

#include <string.h>

void hil_pad_s8(const int8_t *input, int32_t height, int32_t width, int32_t channels, int32_t top,
                int32_t bottom, int32_t left, int32_t right, int8_t value, int8_t *output) {
    const int32_t row = width * channels, padded = (left + width + right) * channels;
    /* The right margin of a row and the left one of the next lie side by side. */
    const int32_t before = top * padded + left * channels, between = padded - row;
    memset(output, value, (uint32_t)before);
    output += before;
    for (int32_t y = 0; y < height; y++) {
        memcpy(output, input, (uint32_t)row);
        input += row;
        output += row;
        const int32_t gap = y + 1 < height ? between : right * channels + bottom * padded;
        memset(output, value, (uint32_t)gap);
        output += gap;
    }
}
