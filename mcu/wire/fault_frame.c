#include "fault_frame.h"

#include "frame.h"

uint32_t hil_fault_frame(uint8_t *out, const uint32_t words[HIL_FAULT_LAYOUT_BYTES / 4U]) {
    uint8_t body[HIL_FAULT_LAYOUT_BYTES];
    for (uint32_t i = 0; i < HIL_FAULT_LAYOUT_BYTES / 4U; i++) {
        (void)hil_put32(body + 4U * i, words[i]);
    }
    const hil_bytes_t nothing = {0, 0};
    return hil_frame_encode(HIL_FRAME_FAULT, 0, (hil_bytes_t){body, sizeof body}, nothing, out);
}
