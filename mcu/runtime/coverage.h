/* Which bytes of an input have arrived, whatever their order. */
#ifndef HIL_COVERAGE_H
#define HIL_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_model.h"

/* `count` spans are taken, 0 at first: ascending, neither touching nor overlapping. */

/* False when there are too many separate spans; nothing is changed then. */
bool hil_coverage_add(const hil_coverage_t *coverage, uint32_t *count, uint32_t begin,
                      uint32_t end);
bool hil_coverage_complete(const hil_coverage_t *coverage, uint32_t count, uint32_t total);

#endif
