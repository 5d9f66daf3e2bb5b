#include "fuse.h"

void hil_fuse(const hil_fusion_t *fusion, const int8_t *local, const int32_t *remote,
              uint32_t classes, int32_t *fused) {
    for (uint32_t i = 0; i < classes; i++) {
        const int32_t near =
            local == 0 ? 0 : fusion->local_multiplier * (local[i] - fusion->local_zero_point);
        fused[i] = near + fusion->remote_multiplier * remote[i];
    }
}

uint16_t hil_argmax_s8(const int8_t *values, uint32_t count) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        best = values[i] > values[best] ? i : best;
    }
    return (uint16_t)best;
}

uint16_t hil_argmax_s32(const int32_t *values, uint32_t count) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        best = values[i] > values[best] ? i : best;
    }
    return (uint16_t)best;
}
