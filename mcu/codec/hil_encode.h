/* The lossless coder that a payload names. */
#ifndef HIL_ENCODE_H
#define HIL_ENCODE_H

#include <stdint.h>

#include "hil_model.h"

/* Packs the format's symbols into `out`. `scratch` is what the codec's own header asks for. LZ4
 * leaves the symbols shuffled. Returns the bytes written, or -1 when a symbol is foreign,
 * `capacity` is too small or the codec is unknown. */
int32_t hil_encode(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                   uint8_t *out, uint32_t capacity);

#endif
