#include "coverage.h"

#include <string.h>

bool hil_coverage_add(const hil_coverage_t *coverage, uint32_t *count, uint32_t begin,
                      uint32_t end) {
    hil_span_t *const spans = coverage->spans;
    /* Spans first..last-1 touch the new one and become part of it. */
    uint32_t first = 0;
    while (first < *count && spans[first].end < begin) {
        first++;
    }
    uint32_t last = first;
    while (last < *count && spans[last].begin <= end) {
        last++;
    }
    if (first == last && *count == coverage->capacity) {
        return false;
    }
    if (first < last) {
        begin = spans[first].begin < begin ? spans[first].begin : begin;
        end = spans[last - 1U].end > end ? spans[last - 1U].end : end;
    }
    memmove(&spans[first + 1U], &spans[last], (*count - last) * sizeof(hil_span_t));
    spans[first] = (hil_span_t){begin, end};
    *count = *count - (last - first) + 1U;
    return true;
}

bool hil_coverage_complete(const hil_coverage_t *coverage, uint32_t count, uint32_t total) {
    return count == 1U && coverage->spans[0].begin == 0U && coverage->spans[0].end == total;
}
