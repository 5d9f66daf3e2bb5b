#include "authentic.h"

void hil_session_key(const uint8_t device_key[HIL_KEY_BYTES],
                     const uint8_t device_nonce[HIL_NONCE_BYTES],
                     const uint8_t server_nonce[HIL_NONCE_BYTES], uint8_t key[HIL_KEY_BYTES]) {
    hil_blake2s_t state;
    hil_blake2s_begin(&state, HIL_KEY_BYTES, (hil_bytes_t){device_key, HIL_KEY_BYTES});
    hil_blake2s_put(&state, (hil_bytes_t){device_nonce, HIL_NONCE_BYTES});
    hil_blake2s_put(&state, (hil_bytes_t){server_nonce, HIL_NONCE_BYTES});
    hil_blake2s_end(&state, key);
}
