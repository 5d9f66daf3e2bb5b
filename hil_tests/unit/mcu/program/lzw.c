/* LZW both ways. */
#include "commands.h"

#include <stdlib.h>

#include "answer.h"
#include "hil_lzw.h"
#include "messages.h"

/* alphabet, capacity, then the symbols. */
void lzw_encode(const uint8_t *bytes, uint32_t count) {
    const uint32_t capacity = hil_get32(bytes + 4);
    uint8_t *const out = malloc(capacity + 1);
    uint8_t *const exact = out + 1; /* malloc(0) may be NULL */
    void *const scratch = malloc(HIL_LZW_SCRATCH_BYTES);
    const int32_t encoded =
        hil_lzw_encode(bytes + 8, count - 8, hil_get32(bytes), scratch, exact, capacity);
    say32((uint32_t)encoded);
    say(exact, encoded < 0 ? 0 : (uint32_t)encoded);
    free(out);
    free(scratch);
}

/* alphabet, number of symbols, then the code. */
void lzw_decode(const uint8_t *bytes, uint32_t count) {
    const uint32_t symbols = hil_get32(bytes + 4);
    uint8_t *const out = malloc(symbols + 1);
    void *const scratch = malloc(HIL_LZW_SCRATCH_BYTES);
    const int32_t status =
        hil_lzw_decode(bytes + 8, count - 8, symbols, hil_get32(bytes), scratch, out + 1);
    say32((uint32_t)status);
    say(out + 1, status < 0 ? 0 : symbols);
    free(out);
    free(scratch);
}
