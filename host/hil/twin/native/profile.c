/*
 * The block hook of a profile: the timed one, and a shadow of the call stack. BL and BLX push a
 * frame; a jump to the top frame's return address with the stack pointer it was pushed with pops
 * it; frames below the stack pointer are gone (longjmp). Any other jump into another function
 * replaces the top frame (a tail call). Costs are charged to a node when another one becomes
 * current, so that a block inside one function costs next to nothing here.
 */
#include "profile.h"

#include <string.h>

size_t hil_profile_bytes(void) {
    return sizeof(profile_t);
}
size_t hil_profile_node_bytes(void) {
    return sizeof(node_t);
}

static void totals(const profile_t *p, uint64_t *now) {
    const timing_t *t = p->timing;
    const uint64_t *stalls = p->stalls;
    const uint64_t counted =
        t->issue_ticks + t->branch_ticks + t->fetch_ticks + t->data_ticks + t->bank_ticks;
    now[C_MAC] = stalls[C_MAC];
    now[C_LOAD] = stalls[C_LOAD];
    now[C_BRANCH] = stalls[C_BRANCH] + t->branch_ticks;
    now[C_FETCH] = t->fetch_ticks;
    now[C_DATA] = t->data_ticks;
    now[C_BANK] = stalls[C_BANK] + t->bank_ticks;
    /* What the clock has and the model has not: exception entry and return. */
    now[C_OTHER] = stalls[C_OTHER] + t->core->ticks - p->slept_ticks - counted;
    now[C_ISSUE] = t->issue_ticks - stalls[C_MAC] - stalls[C_LOAD] - stalls[C_BRANCH] -
                   stalls[C_BANK] - stalls[C_OTHER];
}

/* Charges what was spent since the last time to the current node. */
void hil_profile_settle(profile_t *p) {
    if (p->current == NOWHERE) {
        return;
    }
    uint64_t now[CLASSES];
    totals(p, now);
    node_t *node = &p->nodes[p->current];
    for (int i = 0; i < CLASSES; i++) {
        node->ticks[i] += now[i] - p->seen[i];
    }
    memcpy(p->seen, now, sizeof now);
    node->instructions += p->timing->core->instructions - p->seen_instructions;
    p->seen_instructions = p->timing->core->instructions;
}

/* The function that holds `address`, or NULL. */
static const function_t *function_at(const profile_t *p, uint32_t address) {
    uint32_t low = 0, high = p->function_count;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (p->functions[middle].start <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const function_t *found = low ? &p->functions[low - 1] : NULL;
    return found != NULL && address < found->end ? found : NULL;
}

static uint32_t *slot_of(const profile_t *p, uint32_t parent, uint32_t key) {
    uint32_t at = ((key * 0x9E3779B1u) ^ (parent * 0x85EBCA6Bu)) >> 16;
    for (;; at = (at + 1) & (SLOTS - 1)) {
        const uint32_t node = p->slots[at];
        if (!node || (p->nodes[node].parent == parent && p->nodes[node].key == key)) {
            return &p->slots[at];
        }
    }
}

/* The node of `key` called from `parent`; of any caller once the tree is full. */
uint32_t hil_profile_child(profile_t *p, uint32_t parent, uint32_t key) {
    uint32_t *slot = slot_of(p, parent, key);
    if (!*slot && p->node_count >= NODES - CROWD) {
        parent = 0;
        slot = slot_of(p, parent, key);
    }
    if (!*slot && p->node_count < NODES) {
        *slot = p->node_count++;
        const function_t *function = function_at(p, key);
        const int known = function != NULL && function->start == key;
        p->nodes[*slot] = (node_t){.parent = parent,
                                   .key = key,
                                   .start = known ? function->start : 0,
                                   .end = known ? function->end : 0};
    }
    return *slot;
}

static void go_to(profile_t *p, uint32_t node) {
    if (node != p->current) {
        hil_profile_settle(p);
        p->current = node;
    }
}

static uint32_t stack_pointer(const profile_t *p, void *uc) {
    return read_mask(p->timing->core, uc, UC_ARM_REG_SP);
}

static void push(profile_t *p, void *uc, uint32_t address) {
    const function_t *function = function_at(p, address);
    const uint32_t key = function != NULL ? function->start : address;
    const uint32_t node = hil_profile_child(p, p->current, key);
    p->nodes[node].calls++;
    p->depth += p->depth < p->floor + FRAMES_EACH;
    p->frames[p->depth - 1] = (frame_t){node, p->ended_at, stack_pointer(p, uc)};
    go_to(p, node);
}

static int inside(const profile_t *p, uint32_t address) {
    const node_t *node = &p->nodes[p->current];
    return address - node->start < node->end - node->start;
}

/* Leaves frames that a return, or longjmp, has left. */
static void unwind(profile_t *p, void *uc, uint32_t address) {
    const uint32_t last = p->floor + 1;
    if (p->depth <= last ||
        (address != p->frames[p->depth - 1].return_address && inside(p, address))) {
        return;
    }
    const uint32_t sp = stack_pointer(p, uc);
    while (p->depth > last && p->frames[p->depth - 1].sp < sp) {
        p->depth--;
    }
    const frame_t *top = &p->frames[p->depth - 1];
    if (p->depth > last && top->return_address == address && top->sp == sp) {
        p->depth--;
    }
    go_to(p, p->frames[p->depth - 1].node);
}

/* A jump to another function: into the middle of one that is on the stack, or a tail call. Code
 * without a symbol belongs to who jumps there. */
static void jump(profile_t *p, uint32_t address) {
    const function_t *function = function_at(p, address);
    if (function == NULL) {
        return;
    }
    for (uint32_t depth = p->depth; address != function->start && depth > p->floor; depth--) {
        const uint32_t node = p->frames[depth - 1].node;
        if (p->nodes[node].key == function->start) {
            p->depth = depth;
            go_to(p, node);
            return;
        }
    }
    frame_t *top = &p->frames[p->depth - 1];
    top->node = hil_profile_child(p, p->nodes[top->node].parent, function->start);
    p->nodes[top->node].calls += address == function->start;
    go_to(p, top->node);
}

static void follow(profile_t *p, void *uc, uint32_t address) {
    const uint32_t ended = p->ended;
    p->ended = 0;
    if (ended == ENDS_CALLING) {
        /* Behind the call when it was conditional and not taken. */
        const function_t *function = address == p->ended_at ? function_at(p, address) : NULL;
        if (address != p->ended_at || (function != NULL && function->start == address)) {
            push(p, uc, address);
            return;
        }
    } else if (ended == ENDS_INDIRECT) {
        unwind(p, uc, address);
    }
    if (!inside(p, address)) {
        jump(p, address);
    }
}

void hil_profiled_block(void *uc, uint64_t address, uint32_t size, void *user) {
    profile_t *p = user;
    timing_t *t = p->timing;
    /* Before the block is counted or refused; seen again it changes nothing. */
    if (p->ended || !inside(p, (uint32_t)address)) {
        follow(p, uc, (uint32_t)address);
    }
    t->last = NULL;
    hil_timed_block(uc, address, size, t);
    const edge_t *edge = t->last;
    if (edge == NULL) {
        return;
    }
    p->stalls[C_MAC] += edge->mac_slots * SLOT_TICKS;
    p->stalls[C_LOAD] += edge->load_slots * SLOT_TICKS;
    p->stalls[C_OTHER] += edge->other_slots * SLOT_TICKS;
    p->stalls[C_BRANCH] += edge->branch_ticks;
    p->stalls[C_BANK] += edge->bank_ticks;
    p->ended = edge->flags / EDGE_ENDS_CALLING & (ENDS_CALLING | ENDS_INDIRECT);
    p->ended_at = (uint32_t)address + size;
}
