#include "exit.h"

#include "fuse.h"

bool hil_exit(const hil_exit_rule_t *rule, const int8_t *logits, uint32_t classes) {
    if (rule->exponentials == 0) {
        return false;
    }
    const int32_t best = logits[hil_argmax_s8(logits, classes)];
    uint32_t sum = 0;
    for (uint32_t i = 0; i < classes; i++) {
        sum += rule->exponentials[best - logits[i]];
    }
    return sum <= rule->limit;
}
