/*
 * The block hook with cycles. A block's issue cycles depend on the block before it, so the table
 * holds edges: (block before, block). Python prices an edge when it is first taken; here it is
 * looked up, and what depends on the run is added: wrong predictions, cache misses, bank conflicts.
 */
#include "timing.h"

#include <string.h>

#include "caches.h"

size_t hil_timing_bytes(void) {
    return sizeof(timing_t);
}
size_t hil_edges_bytes(void) {
    return EDGES * sizeof(edge_t);
}
size_t hil_pool_bytes(void) {
    return POOL * sizeof(access_t);
}

/* From unicorn/arm.h: R0 to R12 are consecutive, SP, LR and PC are not. */
static int unicorn_register(unsigned number) {
    return number < 13 ? 66 + (int)number : number == 13 ? 12 : number == 14 ? 10 : 11;
}

static uint32_t hash(uint32_t previous, uint32_t address) {
    return ((address * 0x9E3779B1u) ^ (previous * 0x85EBCA6Bu)) >> 15;
}

/* FNV-1a over 32-bit words and the rest. */
static uint64_t digest_of(const uint8_t *code, uint32_t size) {
    uint64_t digest = 0xCBF29CE484222325u;
    for (; size >= 4; code += 4, size -= 4) {
        uint32_t word;
        memcpy(&word, code, 4);
        digest = (digest ^ word) * 0x100000001B3u;
    }
    return size ? (digest ^ halfword(code)) * 0x100000001B3u : digest;
}

static void price(timing_t *t, edge_t *edge, const window_t *window) {
    if (t->pool_used + MOST_ACCESSES > POOL) {
        edge_t kept = *edge;
        memset(t->edges, 0, EDGES * sizeof(edge_t));
        t->pool_used = 0;
        *edge = kept;
    }
    const uint8_t *code = window->host + (edge->address - window->base);
    edge->instructions = decode(code, edge->size, &edge->flags);
    edge->digest = window->constant ? 0 : digest_of(code, edge->size);
    t->resolve(t, edge);
}

/* The edge to the block at `address`, priced when new or rewritten; NULL where there is no memory.
 */
static edge_t *edge_to(timing_t *t, uint32_t address, uint32_t size) {
    const uint32_t previous = t->previous, first = hash(previous, address);
    edge_t *edge = NULL;
    for (uint32_t i = 0; i < PROBES; i++) {
        edge_t *candidate = &t->edges[(first + i) & (EDGES - 1)];
        if (candidate->address == address && candidate->previous == previous &&
            candidate->size == size) {
            if (!candidate->digest) {
                return candidate;
            }
            const window_t *window = window_of(t->core, address);
            if (digest_of(window->host + (address - window->base), size) == candidate->digest) {
                return candidate;
            }
            edge = candidate;
            break;
        }
        if (!candidate->size) {
            edge = candidate;
            break;
        }
    }
    const window_t *window = window_of(t->core, address);
    if (window == NULL || size > window->size - (address - window->base)) {
        return NULL;
    }
    if (edge == NULL) {
        edge = &t->edges[first & (EDGES - 1)];
    }
    memset(edge, 0, sizeof *edge);
    edge->previous = previous;
    edge->address = address;
    edge->size = size;
    price(t, edge, window);
    return edge;
}

/* Two bits for every conditional branch, none shared below 8 KB of code; the first time, backward
 * means taken. An indirect branch is expected to go where it went before. */
static void predict(timing_t *t, const edge_t *edge) {
    const uint32_t branch = ((t->previous + t->previous_size) >> 1) & (BRANCHES - 1);
    int wrong;
    if (edge->flow == FLOW_CONDITIONAL) {
        const int taken = (edge->flags & EDGE_TAKEN) != 0;
        uint8_t *counter = &t->counters[branch];
        const int expected = *counter ? *counter >= 3 : (edge->flags & EDGE_BACKWARD) != 0;
        wrong = expected != taken;
        if (!*counter) {
            *counter = taken ? 3 : 2;
        } else if (taken ? *counter < 4 : *counter > 1) {
            *counter += taken ? 1 : -1;
        }
    } else if (edge->flow == FLOW_INDIRECT) {
        wrong = t->targets[branch] != edge->address;
        t->targets[branch] = edge->address;
    } else {
        return;
    }
    t->branches++;
    if (wrong) {
        t->mispredictions++;
        t->branch_ticks += edge->penalty_ticks;
        t->core->ticks += edge->penalty_ticks;
    }
}

static uint32_t word_at(const state_t *core, uint32_t address) {
    const window_t *window = window_of(core, address);
    uint32_t word = 0;
    if (window != NULL && window->size - (address - window->base) >= 4) {
        memcpy(&word, window->host + (address - window->base), 4);
    }
    return word;
}

/* Evaluates the block's address formulas, and sends the accesses through the data side. */
static void touch_data(timing_t *t, const edge_t *edge, void *uc) {
    uint32_t sources[16 + TEMPORARIES];
    for (uint32_t left = edge->registers; left; left &= left - 1) {
        unsigned number = (unsigned)__builtin_ctz(left);
        uint64_t value = 0;
        t->core->reg_read(uc, unicorn_register(number), &value);
        sources[number] = (uint32_t)value;
    }
    uint32_t last = 0;
    const access_t *access = &t->pool[edge->first_access];
    for (uint32_t i = 0; i < edge->accesses; i++, access++) {
        uint32_t address = (uint32_t)access->offset;
        if (access->source != NOTHING) {
            address += sources[access->source];
        }
        if (access->index != NOTHING) {
            address += sources[access->index] << access->shift;
        }
        if (access->flags & ACCESS_KEEP) {
            sources[16 + access->temporary] = word_at(t->core, address);
        }
        if ((access->flags & ACCESS_MEETS_PREVIOUS) && !((address ^ last) & 4)) {
            t->bank_ticks += t->bank_ticks_each;
            t->core->ticks += t->bank_ticks_each;
        }
        last = address;
        if (t->features & FEATURE_DATA) {
            data_access(t, address, access->bytes, access->flags & ACCESS_WRITE);
        }
    }
}

static void spend(timing_t *t, const edge_t *edge, void *uc) {
    t->issue_ticks += edge->ticks;
    t->core->ticks += edge->ticks;
    t->core->instructions += edge->instructions;
    if ((t->features & FEATURE_BRANCH) && edge->flow >= FLOW_CONDITIONAL) {
        predict(t, edge);
    }
    if (t->features & FEATURE_FETCH) {
        fetch(t, edge->address, edge->size);
    }
    if (t->features & (FEATURE_DATA | FEATURE_EXACT)) {
        t->unresolved += edge->unresolved;
        touch_data(t, edge, uc);
    } else {
        t->bank_ticks += edge->meetings_ticks;
        t->core->ticks += edge->meetings_ticks;
    }
}

void hil_timed_block(void *uc, uint64_t address, uint32_t size, void *user) {
    timing_t *t = user;
    state_t *core = t->core;
    uint32_t reason = reason_to_stop(core, uc, (uint32_t)address);
    const edge_t *edge = NULL;
    if (!reason) {
        edge = edge_to(t, (uint32_t)address, size);
        if (edge != NULL && (edge->flags & BLOCK_FP) && core->fpu_off) {
            reason = REASON_NO_FPU;
        }
    }
    core->block_address = (uint32_t)address;
    core->block_size = size;
    if (reason) {
        core->reason = reason;
        core->emu_stop(uc);
        return;
    }
    if (edge != NULL) {
        if (edge->flags & BLOCK_SEV) {
            core->event = 1;
        }
        spend(t, edge, uc);
    }
    t->previous = (uint32_t)address;
    t->previous_size = size;
}

/* UC_HOOK_MEM_READ and UC_HOOK_MEM_WRITE: type 17 writes (uc_mem_type). */
void hil_access(void *uc, int type, uint64_t address, int size, int64_t value, void *user) {
    (void)uc;
    (void)value;
    data_access(user, (uint32_t)address, (uint32_t)size, type == 17);
}
