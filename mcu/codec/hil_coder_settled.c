#include "hil_coder.h"

uint32_t hil_coder_settled(const hil_coder_t *coder) {
    uint32_t count = (uint32_t)(coder->at - coder->out);
    const int carries =
        coder->format->codec == HIL_CODEC_RANGE || coder->format->codec == HIL_CODEC_CONTEXT;
    if (!carries || count == 0U) {
        return count;
    }
    do {
        count--;
    } while (count != 0U && coder->out[count] == 0xFFU);
    return count;
}
