/* Little-endian words in byte strings, and a view of bytes that someone else owns. */
#ifndef HIL_BYTES_H
#define HIL_BYTES_H

#include <stdint.h>

typedef struct {
    const uint8_t *at;
    uint32_t count;
} hil_bytes_t;

static inline uint8_t *hil_put16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    return at + 2;
}

static inline uint8_t *hil_put32(uint8_t *at, uint32_t value) {
    return hil_put16(hil_put16(at, value), value >> 16);
}

static inline uint16_t hil_get16(const uint8_t *at) {
    return (uint16_t)(at[0] | (uint32_t)at[1] << 8);
}

static inline uint32_t hil_get32(const uint8_t *at) {
    return hil_get16(at) | (uint32_t)hil_get16(at + 2) << 16;
}

#endif
