#ifndef HIL_CRC32_H
#define HIL_CRC32_H

#include <stdint.h>

/* CRC-32 as zlib's. Starts from 0; the result of one piece is the start of the next. */
uint32_t hil_crc32(uint32_t crc, const uint8_t *bytes, uint32_t count);

#endif
