/* What the firmware decides: fusion, exits, what of a sample has come. */
#include "commands.h"

#include <stdlib.h>

#include "answer.h"
#include "coverage.h"
#include "exit.h"
#include "fuse.h"
#include "messages.h"

/* The three numbers of the rule, whether there are local logits, classes,
 * remote, local. */
void fuse(const uint8_t *bytes, uint32_t count) {
    (void)count;
    const hil_fusion_t fusion = {(int32_t)hil_get32(bytes), (int32_t)hil_get32(bytes + 4),
                                 (int32_t)hil_get32(bytes + 8)};
    const uint32_t classes = hil_get32(bytes + 16);
    int32_t *const remote = copy(bytes + 20, 4 * classes);
    int8_t *const local = copy(bytes + 20 + 4 * classes, classes);
    hil_fuse(&fusion, hil_get32(bytes + 12) != 0 ? local : NULL, remote, classes, remote);
    say32(hil_argmax_s32(remote, classes));
    say32(hil_argmax_s8(local, classes));
    say(remote, 4 * classes);
    free(remote);
    free(local);
}

/* Whether there is a table, the limit, the table, then the logits. */
void decide_exit(const uint8_t *bytes, uint32_t count) {
    const uint32_t head = 8 + 4 * 256;
    uint32_t *const table = copy(bytes + 8, head - 8);
    int8_t *const logits = copy(bytes + head, count - head);
    const hil_exit_rule_t rule = {hil_get32(bytes) != 0 ? table : NULL, hil_get32(bytes + 4)};
    say32(hil_exit(&rule, logits, count - head));
    free(table);
    free(logits);
}

/* total, then pairs of begin and end; the answer is what every addition said,
 * then complete. */
void cover(const uint8_t *bytes, uint32_t count) {
    hil_span_t spans[128];
    const hil_coverage_t coverage = {spans, 128};
    uint32_t taken = 0;
    for (uint32_t i = 4; i < count; i += 8) {
        const uint8_t added =
            hil_coverage_add(&coverage, &taken, hil_get32(bytes + i), hil_get32(bytes + i + 4));
        say(&added, 1);
    }
    const uint8_t complete = hil_coverage_complete(&coverage, taken, hil_get32(bytes));
    say(&complete, 1);
}
