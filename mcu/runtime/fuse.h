#ifndef HIL_FUSE_H
#define HIL_FUSE_H

#include "hil_model.h"

/* fused[i] by the rule of hil_fusion_t; `local` may be NULL. `fused` may hold the remote logits. */
void hil_fuse(const hil_fusion_t *fusion, const int8_t *local, const int32_t *remote,
              uint32_t classes, int32_t *fused);

/* Index of the greatest value, the lowest one of several. */
uint16_t hil_argmax_s8(const int8_t *values, uint32_t count);
uint16_t hil_argmax_s32(const int32_t *values, uint32_t count);

#endif
