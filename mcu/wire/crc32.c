#include "crc32.h"

#include "hil_wire.h"

/* A byte at a time, from a kilobyte of flash: half of what a frame costs the core. */
static const uint32_t table[256] = HIL_CRC32_TABLE;

uint32_t hil_crc32(uint32_t crc, const uint8_t *bytes, uint32_t count) {
    crc = ~crc;
    for (uint32_t i = 0; i < count; i++) {
        crc = (crc >> 8) ^ table[(crc ^ bytes[i]) & 0xFFU];
    }
    return ~crc;
}
