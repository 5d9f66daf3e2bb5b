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
#define REASON_PLACES    5u
#define REASON_TRAP      6u

#define NOT_WATCHING 0xFFFFFFFFu

#define BLOCK_FP      1u
#define BLOCK_SEV     2u
#define BLOCK_CONTROL 16u /* writes CONTROL */
#define BLOCK_PLACES  32u /* holds an instruction that needs a hook of its own */
#define BLOCK_DIVIDE  64u /* divides */
#define BLOCK_BASES   16  /* from this bit on: registers that must be word-aligned at entry */

/* Mirrored in traps.py. */
#define TRAP_DIVIDE    1u
#define TRAP_UNALIGNED 2u
#define PLACES_BITS    (1u << 20)

#define WINDOWS    6
#define FLASH      0x08000000u
#define FLASH_ITCM 0x00200000u
#define FLASH_SIZE 0x00100000u
#define TABLE_SIZE 131072u /* direct mapped: code 256 KB apart shares entries */

/* From unicorn/arm.h */
#define UC_ARM_REG_SP        12
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
    uint32_t control_written;
    uint32_t stepping;
    uint32_t traps;
    window_t windows[WINDOWS];
    block_t *table;
    int (*emu_stop)(void *uc);
    int (*reg_read)(void *uc, int id, void *value);
    uint8_t *places; /* one bit for each halfword: the block there has its hooks */
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

#include "traps.h"

/* A Thumb instruction is 32 bits long when its first halfword is 0b11101, 0b11110 or 0b11111
 * (ARMv7-M ARM A5.1). Coprocessors 10 and 11 are the FPU (A5.3.18). What an IT block makes
 * conditional is not looked at for alignment and division. */
static inline uint32_t decode(const uint8_t *code, uint32_t size, uint32_t *flags_found) {
    uint32_t instructions = 0, flags = 0, written = 0, conditional = 0;
    for (uint32_t at = 0; at + 1 < size; instructions++) {
        uint32_t first = halfword(code + at), second = 0;
        if (first >= 0xE800) {
            second = at + 3 < size ? halfword(code + at + 2) : 0;
            if ((first & 0xEC00) == 0xEC00 && (second & 0x0E00) == 0x0A00) {
                flags |= BLOCK_FP;
            } else if ((first & 0xFFF0) == 0xF380 && (second & 0xF0FF) == 0x8014) {
                flags |= BLOCK_CONTROL;
            }
            at += 4;
        } else {
            if (first == 0xBF40) {
                flags |= BLOCK_SEV;
            } else if ((first & 0xFF00) == 0xBF00 && (first & 15)) {
                conditional = 5 - (uint32_t)__builtin_ctz(first);
            }
            at += 2;
        }
        if (!conditional) {
            int base = aligned_base(first, second);
            if (base >= 0) {
                flags |= written >> base & 1 ? BLOCK_PLACES : 1u << (BLOCK_BASES + base);
            }
            flags |= is_divide(first, second) ? BLOCK_DIVIDE : 0;
        }
        conditional -= conditional ? 1 : 0;
        written |= written_by(first, second);
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

/* From unicorn/arm.h: R0 to R12 are consecutive, SP, LR and PC are not. */
static inline int unicorn_register(unsigned number) {
    return number < 13 ? 66 + (int)number : number == 13 ? 12 : number == 14 ? 10 : 11;
}

static inline uint32_t register_of(const state_t *state, void *uc, unsigned number) {
    uint64_t value = 0;
    state->reg_read(uc, unicorn_register(number), &value);
    return (uint32_t)value;
}

/* Whether a block must not run as it is: the FPU is off or waits for its context, an instruction
 * needs a hook, a base register is not aligned. */
static inline uint32_t reason_to_refuse(const state_t *state, void *uc, uint32_t address,
                                        uint32_t flags) {
    if ((flags & BLOCK_FP) && state->fpu_off) {
        return REASON_NO_FPU;
    }
    if ((flags & BLOCK_PLACES) || ((flags & BLOCK_DIVIDE) && (state->traps & TRAP_DIVIDE))) {
        uint32_t bit = (address >> 1) & (PLACES_BITS - 1);
        if (!(state->places[bit >> 3] >> (bit & 7) & 1)) {
            return REASON_PLACES;
        }
    }
    for (uint32_t bases = flags >> BLOCK_BASES; bases; bases &= bases - 1) {
        if (register_of(state, uc, (unsigned)__builtin_ctz(bases)) & 3) {
            return REASON_TRAP;
        }
    }
    return 0;
}

/* What a block that will run tells the run loop. */
static inline void note_block(state_t *state, uint32_t flags) {
    if (flags & BLOCK_SEV) {
        state->event = 1;
    }
    if (flags & BLOCK_CONTROL) {
        state->control_written = state->attention = 1;
    }
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
