#include "authentic.h"

bool hil_tag_fits(const hil_blake2s_t *asked, const hil_reply_t *reply) {
    if (reply->tag == 0) {
        return false;
    }
    hil_blake2s_t state = *asked;
    const uint8_t head[2] = {reply->status, reply->count};
    uint8_t tag[HIL_TAG_BYTES];
    hil_blake2s_put(&state, (hil_bytes_t){head, sizeof head});
    hil_blake2s_put(&state, (hil_bytes_t){reply->logits, 2U * reply->count});
    hil_blake2s_end(&state, tag);
    uint32_t differ = 0;
    for (uint32_t i = 0; i < HIL_TAG_BYTES; i++) {
        differ |= (uint32_t)(tag[i] ^ reply->tag[i]);
    }
    return differ == 0U;
}
