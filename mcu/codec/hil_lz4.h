/* LZ4 blocks over bit-shuffled bytes, bit for bit as host/hil/codec/lz4.py and shuffle.py, which
 * say how. */
#ifndef HIL_LZ4_H
#define HIL_LZ4_H

#include <stdint.h>

#include "hil_wire.h"

/* Regroups the bits of each HIL_SHUFFLE_BLOCK bytes where they lie. `block` holds as many. */
void hil_shuffle(uint8_t *bytes, uint32_t count, uint8_t *block);

/* Shuffles `symbols` where they lie and packs them into `out`. `scratch` holds
 * HIL_LZ4_SCRATCH_BYTES, 2-byte aligned. Returns the bytes written, or -1 when there are more than
 * HIL_LZ4_SYMBOLS_MAX symbols or `capacity` is too small. */
int32_t hil_lz4_encode(uint8_t *symbols, uint32_t count, void *scratch, uint8_t *out,
                       uint32_t capacity);

#endif
