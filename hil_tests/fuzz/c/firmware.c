/* The whole firmware above board.h, its main loop included, against a host that may say anything.
 *
 * The first byte chooses the device half (stand_in_model.c) and, by its upper bits, whether replies
 * have to be authentic, and whether there are random numbers; the rest is what happens at the other
 * end of the UART, step by step (stand_in_board.c): bytes, frames, damaged frames,
 * acknowledgements, silence. Required: nothing outside its memory, no hang, the watchdog kicked in
 * time, no answer without an authentic reply to that very exchange, every frame sent sound and
 * unchanged while it leaves, and at the end an answer to HELLO. */
#include "stand_in_board.h"
#include "stand_in_model.h"
#include "stand_in_server.h"

/* The firmware's own variables: build.py gathers them here, so that every input finds them as after
 * a reset. */
extern uint8_t __start_hil_bss[], __stop_hil_bss[], __start_hil_data[], __stop_hil_data[];

/* Byte by byte and unwatched: between the variables lie the sanitiser's own bytes. */
__attribute__((no_sanitize("address"))) static void
copy(volatile uint8_t *to, const volatile uint8_t *from, size_t count) {
    for (size_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

__attribute__((no_sanitize("address"))) static void clear(volatile uint8_t *to, size_t count) {
    for (size_t i = 0; i < count; i++) {
        to[i] = 0;
    }
}

static void reset(void) {
    static uint8_t *kept;
    const size_t data = (size_t)(__stop_hil_data - __start_hil_data);
    clear(__start_hil_bss, (size_t)(__stop_hil_bss - __start_hil_bss));
    if (kept == NULL) {
        kept = malloc(data);
        copy(kept, __start_hil_data, data);
    }
    copy(__start_hil_data, kept, data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_t fuzz = {data, size};
    reset();
    const uint8_t sort = fuzz8(&fuzz);
    stand_in_model(sort & 0x3FU);
    server_begin((sort & 0x80U) != 0U);
    stand_in_random((sort & 0x40U) == 0U);
    stand_in_run(fuzz);
    stand_in_model_end();
    return 0;
}
