/*
 * The block hook of the twin: counts instructions and virtual time, and stops the emulation when
 * the next event is due. Unicorn calls it before every translated block, so it is the only code of
 * ours on the hot path; counter.py holds the same logic in Python, as fallback and test oracle.
 *
 * A block is counted whole before it runs. A stop from here happens before the block runs, and the
 * block is then not counted: it comes again at the next start.
 */
#include "core.h"

size_t hil_table_bytes(void) {
    return TABLE_SIZE * sizeof(block_t);
}
size_t hil_state_bytes(void) {
    return sizeof(state_t);
}

static const block_t *block_at(const state_t *state, uint32_t address, uint32_t size,
                               block_t *scratch) {
    block_t *entry = &state->table[(address >> 1) & (TABLE_SIZE - 1)];
    if (entry->address == address && entry->size == size) {
        return entry;
    }
    const window_t *window = window_of(state, address);
    block_t *block = window != NULL && window->constant ? entry : scratch;
    block->address = address;
    block->size = size;
    if (window == NULL) {
        block->instructions = 0;
        block->flags = 0;
        block->ticks = 0;
        return block;
    }
    uint32_t offset = address - window->base;
    uint32_t room = window->size - offset;
    block->instructions = decode(window->host + offset, size < room ? size : room, &block->flags);
    block->ticks = block->instructions * state->ticks_per_instruction;
    return block;
}

void hil_block(void *uc, uint64_t address, uint32_t size, void *user) {
    state_t *state = user;
    block_t scratch;
    uint32_t reason = reason_to_stop(state, uc, (uint32_t)address);
    const block_t *block = NULL;
    if (!reason) {
        block = block_at(state, (uint32_t)address, size, &scratch);
        if ((block->flags & BLOCK_FP) && state->fpu_off) {
            reason = REASON_NO_FPU;
        }
    }
    state->block_address = (uint32_t)address;
    state->block_size = size;
    if (reason) {
        state->reason = reason;
        state->emu_stop(uc);
        return;
    }
    if (block->flags & BLOCK_SEV) {
        state->event = 1;
    }
    state->instructions += block->instructions;
    state->ticks += block->ticks;
}
