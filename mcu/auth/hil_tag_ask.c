#include "authentic.h"

void hil_tag_ask(hil_blake2s_t *asked, const hil_blake2s_t *begun, uint32_t counter,
                 uint32_t sample, hil_bytes_t payload) {
    uint8_t head[12];
    (void)hil_put32(hil_put32(hil_put32(head, counter), sample), payload.count);
    *asked = *begun;
    hil_blake2s_put(asked, (hil_bytes_t){head, sizeof head});
    hil_blake2s_put(asked, payload);
}
