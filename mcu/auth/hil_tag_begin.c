#include "authentic.h"

void hil_tag_begin(hil_blake2s_t *begun, const uint8_t key[HIL_KEY_BYTES]) {
    const uint8_t label = HIL_REPLY_LABEL;
    hil_blake2s_begin(begun, HIL_TAG_BYTES, (hil_bytes_t){key, HIL_KEY_BYTES});
    hil_blake2s_put(begun, (hil_bytes_t){&label, 1});
}
