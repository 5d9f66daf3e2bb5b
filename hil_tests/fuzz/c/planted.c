/* A target with a defect, to see that defects are found. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *const copy = exactly(size);
    if (size != 0U) {
        memcpy(copy, data, size);
    }
    if (size >= 4U && memcmp(copy, "hil!", 4) == 0) {
        copy[size] = 1;
    }
    release(copy, size);
    return 0;
}
