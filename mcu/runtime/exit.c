#include "exit.h"

bool hil_exit(const int8_t *logits, uint32_t classes, int32_t margin) {
    if (margin == INT32_MAX || classes < 2U) {
        return false;
    }
    int32_t best = INT8_MIN, second = INT8_MIN;
    for (uint32_t i = 0; i < classes; i++) {
        if (logits[i] > best) {
            second = best;
            best = logits[i];
        } else if (logits[i] > second) {
            second = logits[i];
        }
    }
    return best - second >= margin;
}
