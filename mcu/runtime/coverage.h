/* Which bytes of an input have arrived, whatever their order. */
#ifndef HIL_COVERAGE_H
#define HIL_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Chunks of 1024 bytes that fill 256 KB need 128 in the worst order. */
#define HIL_COVERAGE_SPANS 128U

typedef struct {
    uint32_t begin;
    uint32_t end;
} hil_span_t;

typedef struct {
    uint32_t count;
    hil_span_t spans[HIL_COVERAGE_SPANS]; /* ascending, neither touching nor overlapping */
} hil_coverage_t;

void hil_coverage_clear(hil_coverage_t *coverage);
/* False when there are too many separate spans; nothing is changed then. */
bool hil_coverage_add(hil_coverage_t *coverage, uint32_t begin, uint32_t end);
bool hil_coverage_complete(const hil_coverage_t *coverage, uint32_t total);

#endif
