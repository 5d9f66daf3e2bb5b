#include <string.h>

#include "hil_coder.h"

void hil_none_begin(hil_coder_t *coder, const hil_payload_format_t *format, void *scratch,
                    uint8_t *out, uint32_t capacity) {
    hil_coder_begin(coder, format, scratch, out, capacity);
}

int hil_none_put(hil_coder_t *coder, const uint8_t *symbols, uint32_t count, uint32_t channel) {
    (void)channel;
    if ((uint32_t)(coder->end - coder->at) < count) {
        return hil_coder_refuse(coder);
    }
    memmove(coder->at, symbols, count);
    coder->at += count;
    return 0;
}

int32_t hil_none_finish(hil_coder_t *coder) {
    return coder->failed ? -1 : (int32_t)(coder->at - coder->out);
}
