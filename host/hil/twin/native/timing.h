/*
 * The state of the cycle model's dynamic part: predictor, caches, what they cost now, and where the
 * cycles went. Mirrored in timing/state.py; timing/dynamic.py is the same logic in Python.
 */
#ifndef HIL_TIMING_H
#define HIL_TIMING_H

#include "core.h"

#define FEATURE_BRANCH 1u
#define FEATURE_FETCH  2u
#define FEATURE_DATA   4u /* addresses from formulas */
#define FEATURE_EXACT  8u /* addresses from memory hooks; formulas tell banks only */

#define EDGE_BACKWARD      4u
#define EDGE_TAKEN         8u
#define EDGE_ENDS_CALLING  128u /* the block ends with BL or BLX */
#define EDGE_ENDS_INDIRECT 256u /* with another jump to an address in a register or from memory */

#define FLOW_CONDITIONAL 2u
#define FLOW_INDIRECT    3u

#define NOTHING               0xFFu
#define ACCESS_WRITE          1u
#define ACCESS_KEEP           2u
#define ACCESS_MEETS_PREVIOUS 4u
#define TEMPORARIES           16

#define EDGES         131072u
#define PROBES        16u
#define POOL          524288u
#define MOST_ACCESSES 1024u

#define BRANCHES   4096u
#define I_SETS     64u
#define I_WAYS     2u
#define D_SETS     32u
#define D_WAYS     4u
#define ART_LINES  64u
#define LINE_BYTES 32u
#define BEAT_BYTES 8u
#define LINE_VALID 1u
#define LINE_DIRTY 2u

typedef struct {
    uint8_t source, index, shift, flags;
    int32_t offset;
    uint8_t bytes, temporary;
    uint16_t reserved;
} access_t;

typedef struct {
    uint32_t previous, address, size, instructions;
    uint32_t flags, ticks, meetings_ticks, penalty_ticks;
    uint32_t first_access;
    uint16_t accesses;
    uint16_t registers; /* those that the formulas read */
    uint16_t flow;
    uint16_t mac_slots, load_slots, other_slots; /* of `ticks`, for the profile */
    uint16_t branch_ticks, bank_ticks;           /* the same */
    uint32_t unresolved;
    uint64_t digest; /* of code in RAM, which any store can change */
} edge_t;            /* 64 bytes: a cache line of the host */

typedef struct timing {
    state_t *core;
    edge_t *edges;
    access_t *pool;
    const edge_t *last; /* of the block that ran last; NULL outside memory */
    void (*resolve)(struct timing *timing, edge_t *edge);
    uint64_t issue_ticks, branch_ticks, fetch_ticks, data_ticks, bank_ticks;
    uint64_t branches, mispredictions, fetch_misses;
    uint64_t accesses, unresolved, load_misses, store_misses, write_backs, unaligned;
    uint32_t features, pool_used, previous, previous_size;
    /* What firmware switched on, and what things cost at its clock; see timing/model.py. */
    uint32_t i_cache, d_cache, art, prefetch;
    uint32_t flash_fill_ticks, flash_beat_ticks, art_miss_ticks, sram_fill_ticks, sram_beat_ticks;
    uint32_t write_back_ticks, store_miss_ticks, unaligned_ticks, bank_ticks_each;
    uint32_t peripheral_read_ticks, peripheral_write_ticks, private_read_ticks;
    uint32_t random, open_line, fetch_line, art_line;
    uint32_t i_lines[I_SETS * I_WAYS];
    uint32_t d_lines[D_SETS * D_WAYS];
    uint32_t art_lines[ART_LINES];
    uint32_t targets[BRANCHES];
    uint8_t counters[BRANCHES];
} timing_t;

#endif
