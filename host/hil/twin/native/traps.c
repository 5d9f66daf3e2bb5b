/*
 * Hooks of single instructions: those whose base register a block computes itself, divisions while
 * CCR.DIV_0_TRP is set, and all of them while CCR.UNALIGN_TRP is. They stop before the instruction.
 */
#include "core.h"

static uint32_t shifted_index(const state_t *state, void *uc, uint32_t first, uint32_t second) {
    return register_of(state, uc, first & 15) +
           (register_of(state, uc, second & 15) << (second >> 4 & 3));
}

/* The address of a single load or store of 2 or 4 bytes, aligned where it is none. */
static uint32_t single_address(const state_t *state, void *uc, uint32_t first, uint32_t second,
                               uint32_t *bytes) {
    *bytes = 1;
    if (first < 0xE800) {
        const uint32_t base = first >> 3 & 7, half = first >> 12;
        if (half == 0x5 && (first & 0x0600) != 0x0400 && (first >> 9 & 7) != 3) {
            *bytes = (first & 0x0200) ? 2 : 4;
            return register_of(state, uc, base) + register_of(state, uc, first >> 6 & 7);
        }
        if (half == 0x6) {
            *bytes = 4;
            return register_of(state, uc, base) + (first >> 4 & 0x7C);
        }
        if (half == 0x8) {
            *bytes = 2;
            return register_of(state, uc, base) + (first >> 5 & 0x3E);
        }
        return 0;
    }
    if ((first & 0xFE00) != 0xF800 || !(first & 0x0060) || (first & 15) == 15) {
        return 0;
    }
    *bytes = (first & 0x0040) ? 4 : 2;
    if (first & 0x0080) {
        return register_of(state, uc, first & 15) + (second & 0xFFF);
    }
    if (!(second & 0x0800)) {
        return shifted_index(state, uc, first, second);
    }
    const uint32_t base = register_of(state, uc, first & 15), step = second & 0xFF;
    if (!(second & 0x0400)) {
        return base; /* post-indexed */
    }
    return second & 0x0200 ? base + step : base - step;
}

static int traps(const state_t *state, void *uc, uint32_t first, uint32_t second) {
    const int base = aligned_base(first, second);
    if (base >= 0) {
        return (register_of(state, uc, (unsigned)base) & 3) != 0;
    }
    if (is_divide(first, second)) {
        return (state->traps & TRAP_DIVIDE) && register_of(state, uc, second & 15) == 0;
    }
    if (state->traps & TRAP_UNALIGNED) {
        uint32_t bytes;
        const uint32_t address = single_address(state, uc, first, second, &bytes);
        return (address & (bytes - 1)) != 0;
    }
    return 0;
}

void hil_instruction(void *uc, uint64_t address, uint32_t size, void *user) {
    state_t *state = user;
    const window_t *window = window_of(state, (uint32_t)address);
    if (state->stepping || window == NULL) {
        return;
    }
    const uint8_t *code = window->host + ((uint32_t)address - window->base);
    if (traps(state, uc, halfword(code), size > 2 ? halfword(code + 2) : 0)) {
        state->reason = REASON_TRAP;
        state->emu_stop(uc);
    }
}

/* For the test that holds both decoders against each other. */
uint32_t hil_decode(const uint8_t *code, uint32_t size, uint32_t *flags) {
    return decode(code, size, flags);
}
