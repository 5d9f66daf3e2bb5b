#ifndef HIL_FAULT_FRAME_H
#define HIL_FAULT_FRAME_H

#include <stdint.h>

#include "hil_wire.h"

#define HIL_FAULT_FRAME_BYTES (HIL_HEADER_BYTES + HIL_FAULT_LAYOUT_BYTES + HIL_CRC_BYTES + 3U)

/* A FAULT of PC, LR, SCB_CFSR, SCB_HFSR and SCB_BFAR in `out`; returns its bytes. Its sequence is
 * 0, which a conversation reaches only every 65536 frames, so no host takes it for a repetition. */
uint32_t hil_fault_frame(uint8_t *out, const uint32_t words[HIL_FAULT_LAYOUT_BYTES / 4U]);

#endif
