#ifndef HIL_EXIT_H
#define HIL_EXIT_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the best logit leads the second best by at least `margin`, so that the local answer
 * stands. INT32_MAX never does, nor do fewer than two classes. */
bool hil_exit(const int8_t *logits, uint32_t classes, int32_t margin);

#endif
