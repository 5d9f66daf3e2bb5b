/* LZW over a small alphabet, bit for bit as host/hil/codec/lzw.py, which says how codes grow. */
#ifndef HIL_LZW_H
#define HIL_LZW_H

#include <stdint.h>

#include "hil_wire.h"

/* Packs `count` symbols, each below `alphabet` (2 to 256), into `out`; hil_coder.h has the
 * streaming form. `scratch` holds HIL_LZW_SCRATCH_BYTES, 4-byte aligned. Returns the bytes written,
 * or -1 when a symbol is foreign or `capacity` is too small. */
int32_t hil_lzw_encode(const uint8_t *symbols, uint32_t count, uint32_t alphabet, void *scratch,
                       uint8_t *out, uint32_t capacity);

/* The way back, for tests and devices that receive: `count` symbols out of exactly `size` bytes.
 * Returns 0, or -1 when they hold anything else. */
int32_t hil_lzw_decode(const uint8_t *bytes, uint32_t size, uint32_t count, uint32_t alphabet,
                       void *scratch, uint8_t *symbols);

/* Bits that `codes` different codes need. */
static inline uint32_t hil_lzw_width(uint32_t codes) {
    return codes > 2U ? 32U - (uint32_t)__builtin_clz(codes - 1U) : 1U;
}

#endif
