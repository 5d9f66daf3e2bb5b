/* Consistent Overhead Byte Stuffing: a block is its length + 1, then bytes other than zero; a zero
 * is left out behind every block of less than 254. */
#ifndef HIL_COBS_H
#define HIL_COBS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint8_t *out;
    uint32_t code_at; /* where the open block's length goes */
    uint32_t used;
    bool full; /* the last block had 254 bytes, so an empty one behind it says nothing */
} hil_cobs_t;

void hil_cobs_begin(hil_cobs_t *cobs, uint8_t *out);
/* The bytes may lie ahead of where they are written. */
void hil_cobs_put(hil_cobs_t *cobs, const uint8_t *bytes, uint32_t count);
/* Closes the last block; returns the encoded bytes. */
uint32_t hil_cobs_end(hil_cobs_t *cobs);

#endif
