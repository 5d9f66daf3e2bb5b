/*
 * What both block hooks share: the counters that Python reads, the first look at a block's code,
 * and the reasons to stop. block_hook.c counts instructions; timing.c counts cycles.
 */
#ifndef HIL_CORE_H
#define HIL_CORE_H

#include <stddef.h>
#include <stdint.h>

/* Both mirrored in state.py. */
#define REASON_DEADLINE  1u
#define REASON_ATTENTION 2u
#define REASON_LIMIT     3u
#define REASON_NO_FPU    4u

#define NOT_WATCHING 0xFFFFFFFFu

#define BLOCK_FP  1u
#define BLOCK_SEV 2u

#define WINDOWS    6
#define FLASH      0x08000000u
#define FLASH_ITCM 0x00200000u
#define FLASH_SIZE 0x00100000u
#define TABLE_SIZE 131072u /* direct mapped: code 256 KB apart shares entries */

/* From unicorn/arm.h */
#define UC_ARM_REG_PRIMASK   123
#define UC_ARM_REG_BASEPRI   124
#define UC_ARM_REG_FAULTMASK 126

typedef struct {
    uint32_t base;
    uint32_t size;
    const uint8_t *host;
    uint64_t constant; /* code here cannot change without a flush: its blocks may be cached */
} window_t;

typedef struct {
    uint32_t address; /* 0: empty, no block starts there (the vector table does) */
    uint32_t size;
    uint32_t instructions;
    uint32_t flags;
    uint64_t ticks;
} block_t;

typedef struct {
    uint64_t ticks;
    uint64_t deadline;
    uint64_t instructions;
    uint64_t instruction_limit;
    uint64_t ticks_per_instruction;
    uint32_t attention;
    uint32_t watched_priority;
    uint32_t fpu_off;
    uint32_t event;
    uint32_t reason;
    uint32_t block_address;
    uint32_t block_size;
    uint32_t flash_watch; /* flash is busy or was rewritten: stop before code in it runs */
    window_t windows[WINDOWS];
    block_t *table;
    int (*emu_stop)(void *uc);
    int (*reg_read)(void *uc, int id, void *value);
} state_t;

static inline const window_t *window_of(const state_t *state, uint32_t address) {
    for (int i = 0; i < WINDOWS; i++) {
        const window_t *window = &state->windows[i];
        if (address - window->base < window->size) {
            return window;
        }
    }
    return NULL;
}

static inline uint32_t halfword(const uint8_t *code) {
    return code[0] | (uint32_t)code[1] << 8;
}

/* A Thumb instruction is 32 bits long when its first halfword is 0b11101, 0b11110 or 0b11111
 * (ARMv7-M ARM A5.1). Coprocessors 10 and 11 are the FPU (A5.3.18). */
static inline uint32_t decode(const uint8_t *code, uint32_t size, uint32_t *flags_found) {
    uint32_t instructions = 0, flags = 0;
    for (uint32_t at = 0; at + 1 < size; instructions++) {
        uint32_t first = halfword(code + at);
        if (first >= 0xE800) {
            uint32_t second = at + 3 < size ? halfword(code + at + 2) : 0;
            if ((first & 0xEC00) == 0xEC00 && (second & 0x0E00) == 0x0A00) {
                flags |= BLOCK_FP;
            }
            at += 4;
        } else {
            if (first == 0xBF40) {
                flags |= BLOCK_SEV;
            }
            at += 2;
        }
    }
    *flags_found = flags;
    return instructions;
}

static inline uint32_t read_mask(const state_t *state, void *uc, int id) {
    uint64_t value = 0;
    state->reg_read(uc, id, &value);
    return (uint32_t)value;
}

/* Whether the masks let an exception of the watched priority through (ARMv7-M ARM B1.5.4). */
static inline int unmasked(const state_t *state, void *uc) {
    if ((read_mask(state, uc, UC_ARM_REG_PRIMASK) | read_mask(state, uc, UC_ARM_REG_FAULTMASK)) &
        1) {
        return 0;
    }
    uint32_t basepri = read_mask(state, uc, UC_ARM_REG_BASEPRI) & 0xF0;
    return basepri == 0 || state->watched_priority < basepri;
}

static inline uint32_t reason_to_stop(const state_t *state, void *uc, uint32_t address) {
    if (state->attention) {
        return REASON_ATTENTION;
    }
    if (state->flash_watch && (address - FLASH < FLASH_SIZE || address - FLASH_ITCM < FLASH_SIZE)) {
        return REASON_ATTENTION;
    }
    if (state->ticks >= state->deadline) {
        return REASON_DEADLINE;
    }
    if (state->instructions >= state->instruction_limit) {
        return REASON_LIMIT;
    }
    if (state->watched_priority != NOT_WATCHING && unmasked(state, uc)) {
        return REASON_ATTENTION;
    }
    return 0;
}

#endif
