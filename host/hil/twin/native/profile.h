/*
 * The profile's state: a calling-context tree with a CPI stack in every node, the frames of the
 * stack that runs, and how far the counters have been charged. Mirrored in profile/records.py;
 * profile/walk.py is profile.c in Python.
 */
#ifndef HIL_PROFILE_H
#define HIL_PROFILE_H

#include "timing.h"

#define NODES         32768u
#define CROWD         4096u /* the last ones, for functions in contexts that found no room */
#define SLOTS         65536u
#define FRAMES        6144u
#define FRAMES_EACH   256u /* of one thread or handler */
#define NOWHERE       0xFFFFFFFFu
#define SLOT_TICKS    50u
#define ENDS_CALLING  1u
#define ENDS_INDIRECT 2u

enum { C_ISSUE, C_MAC, C_LOAD, C_BRANCH, C_FETCH, C_DATA, C_BANK, C_OTHER, CLASSES };

typedef struct {
    uint32_t parent, key; /* the function's address, or what was called where there is no symbol */
    uint32_t start, end;  /* its code; empty where there is no symbol */
    uint64_t calls, instructions;
    uint64_t ticks[CLASSES]; /* its own, without those of its callees */
} node_t;

typedef struct {
    uint32_t node, return_address, sp;
} frame_t;

typedef struct {
    uint32_t start, end;
} function_t;

typedef struct {
    timing_t *timing;
    node_t *nodes; /* node 0 stands for contexts that found no room */
    uint32_t *slots;
    frame_t *frames;
    const function_t *functions; /* by address, apart */
    uint64_t slept_ticks, seen_instructions;
    uint64_t seen[CLASSES];
    uint64_t stalls[CLASSES]; /* of the issue ticks */
    uint32_t function_count, node_count, depth, floor;
    uint32_t current, ended, ended_at, reserved;
} profile_t;

void hil_timed_block(void *uc, uint64_t address, uint32_t size, void *user);

#endif
