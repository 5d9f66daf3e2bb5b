/* Rows of symbols and of 16-bit values, as kernels that work row by row keep them. */
#ifndef HIL_ROWS_H
#define HIL_ROWS_H

#include <stdint.h>

#include "hil_dsp.h"

static inline void hil_fill_s16(int16_t *row, int32_t count, int16_t value) {
    for (int32_t i = 0; i < count; i++) {
        row[i] = value;
    }
}

/* Whether all of `count` bytes, a multiple of 4, at an aligned place are those of `four`. */
static inline int hil_row_is(const uint8_t *row, uint32_t count, uint32_t four) {
    uint32_t other = 0;
    for (uint32_t i = 0; i < count; i += 4) {
        other |= hil_word(row + i) ^ four;
    }
    return other == 0U;
}

#endif
