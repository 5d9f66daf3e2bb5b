/* Static canonical Huffman with a code for every channel, bit for bit as
 * host/hil/codec/huffman.py, which says how codes follow from lengths. No scratch. */
#ifndef HIL_HUFFMAN_H
#define HIL_HUFFMAN_H

#include <stdint.h>

#include "hil_model.h"

/* Packs the format's symbols by its table: length in the upper half of a word, code in the lower.
 * Returns the bytes written, or -1 when a symbol is foreign or `capacity` is too small. */
int32_t hil_huffman_encode(const hil_payload_format_t *format, const uint8_t *symbols, uint8_t *out,
                           uint32_t capacity);

#endif
