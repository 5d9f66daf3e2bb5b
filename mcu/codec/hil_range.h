/* A static range coder with a table for every channel, bit for bit as
 * host/hil/codec/range_coder.py, which says how. No scratch. */
#ifndef HIL_RANGE_H
#define HIL_RANGE_H

#include <stdint.h>

#include "hil_model.h"

/* Packs the format's symbols by its table: cumulative frequency in the upper half of a word,
 * frequency in the lower, every channel's sum is 2^HIL_RANGE_BITS. Returns the bytes written, or -1
 * when a symbol is foreign or `capacity` is too small. */
int32_t hil_range_encode(const hil_payload_format_t *format, const uint8_t *symbols, uint8_t *out,
                         uint32_t capacity);

#endif
