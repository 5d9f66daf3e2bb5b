/* Kernels that have no twin in CMSIS-NN. Nine numbers: bytes of the output, then the kernel's own;
 * then the map. */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "hil_kernels.h"

typedef void kernel_t(const int32_t n[9], int8_t *input, int8_t *output);

static void run(kernel_t *kernel, const uint8_t *bytes, uint32_t count) {
    int32_t n[9];
    memcpy(n, bytes, sizeof n);
    int8_t *const input = copy(bytes + sizeof n, count - sizeof n);
    int8_t *const output = malloc((size_t)n[0] + 1);
    kernel(n, input, output + 1);
    say(output + 1, (uint32_t)n[0]);
    free(input);
    free(output);
}

static void run_pad(const int32_t n[9], int8_t *input, int8_t *output) {
    hil_pad_s8(input, n[1], n[2], n[3], n[4], n[5], n[6], n[7], (int8_t)n[8], output);
}

static void run_slice(const int32_t n[9], int8_t *input, int8_t *output) {
    hil_slice_channels_s8(input, n[1], n[2], n[3], n[4], output);
}

/* Into another map, and in place. */
static void run_clamp(const int32_t n[9], int8_t *input, int8_t *output) {
    hil_clamp_s8(input, n[0], (int8_t)n[1], (int8_t)n[2], output);
    hil_clamp_s8(input, n[0], (int8_t)n[1], (int8_t)n[2], input);
    if (memcmp(input, output, (size_t)n[0]) != 0) {
        abort();
    }
}

void pad(const uint8_t *bytes, uint32_t count) {
    run(run_pad, bytes, count);
}

void slice_channels(const uint8_t *bytes, uint32_t count) {
    run(run_slice, bytes, count);
}

void clamp(const uint8_t *bytes, uint32_t count) {
    run(run_clamp, bytes, count);
}
