#ifndef HIL_EXIT_H
#define HIL_EXIT_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_model.h"

/* Whether the local answer stands: by the rule's own definition, for 1 to 255 classes. A rule
 * without exponentials never lets it. */
bool hil_exit(const hil_exit_rule_t *rule, const int8_t *logits, uint32_t classes);

#endif
