/* What the fuzz targets share: an input that is taken apart from its beginning, and requirements.
 */
#ifndef HIL_FUZZ_H
#define HIL_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *at;
    size_t left;
} fuzz_t;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(claim)                                                                             \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The next number; zeros behind the end. */
static inline uint8_t fuzz8(fuzz_t *fuzz) {
    if (fuzz->left == 0U) {
        return 0;
    }
    fuzz->left--;
    return *fuzz->at++;
}

static inline uint16_t fuzz16(fuzz_t *fuzz) {
    const uint8_t low = fuzz8(fuzz);
    return (uint16_t)(low | fuzz8(fuzz) << 8);
}

static inline uint32_t fuzz32(fuzz_t *fuzz) {
    const uint32_t low = fuzz16(fuzz);
    return low | (uint32_t)fuzz16(fuzz) << 16;
}

/* Memory of exactly that size: the address sanitiser sees the first byte too many, of 0 as well. */
static inline void *exactly(size_t count) {
    void *const made = malloc(count == 0U ? 1U : count);
    REQUIRE(made != NULL);
    return (uint8_t *)made + (count == 0U);
}

static inline void release(void *made, size_t count) {
    free((uint8_t *)made - (count == 0U));
}

/* At most `most` of the next bytes, in memory of exactly their number. */
static inline uint8_t *fuzz_bytes(fuzz_t *fuzz, size_t most, size_t *count) {
    *count = most < fuzz->left ? most : fuzz->left;
    uint8_t *const made = exactly(*count);
    if (*count != 0U) {
        memcpy(made, fuzz->at, *count);
    }
    fuzz->at += *count;
    fuzz->left -= *count;
    return made;
}

#endif
