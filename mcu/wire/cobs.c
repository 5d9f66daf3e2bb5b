#include "cobs.h"

#define CODE_MAX 255U

static void close_block(hil_cobs_t *cobs) {
    cobs->out[cobs->code_at] = (uint8_t)(cobs->used - cobs->code_at);
    cobs->code_at = cobs->used++;
}

void hil_cobs_begin(hil_cobs_t *cobs, uint8_t *out) {
    *cobs = (hil_cobs_t){.out = out, .code_at = 0, .used = 1, .full = false};
}

void hil_cobs_put(hil_cobs_t *cobs, const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        cobs->full = false;
        if (bytes[i] == 0U) {
            close_block(cobs);
            continue;
        }
        cobs->out[cobs->used++] = bytes[i];
        if (cobs->used - cobs->code_at == CODE_MAX) {
            close_block(cobs);
            cobs->full = true;
        }
    }
}

uint32_t hil_cobs_end(hil_cobs_t *cobs) {
    if (cobs->full) {
        return cobs->code_at;
    }
    cobs->out[cobs->code_at] = (uint8_t)(cobs->used - cobs->code_at);
    return cobs->used;
}
