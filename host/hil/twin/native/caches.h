/*
 * Fetches and data accesses through the memories of the STM32F746 (RM0385 2.1, table 1):
 *
 *   ITCM RAM, DTCM            no wait, no cache
 *   flash at 0x00200000       ITCM port: wait states, or the accelerator's 64 lines of 32 bytes
 *   flash, system memory, SRAM  AXI: 4 KB caches, lines of 32 bytes, I 2-way, D 4-way
 *
 * A miss costs the time to the critical word; the rest of the line arrives while the core goes on.
 */
#ifndef HIL_CACHES_H
#define HIL_CACHES_H

#include "timing.h"

enum { PLACE_FREE, PLACE_ART, PLACE_FLASH, PLACE_SRAM, PLACE_PERIPHERAL, PLACE_PRIVATE };

static inline int place_of(uint32_t address) {
    if (address - 0x20010000u < 0x40000u) {
        return PLACE_SRAM;
    }
    if (address - 0x08000000u < 0x18000000u) {
        return PLACE_FLASH; /* and system memory, at its end */
    }
    if (address - 0x00200000u < 0x100000u) {
        return PLACE_ART;
    }
    if (address < 0x40000000u) {
        return PLACE_FREE;
    }
    return address < 0xE0000000u ? PLACE_PERIPHERAL : PLACE_PRIVATE;
}

/* xorshift32: which way a full set gives up is pseudo-random, and the same in every run. */
static inline uint32_t next_random(timing_t *t) {
    uint32_t x = t->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return t->random = x;
}

static inline uint32_t victim(timing_t *t, const uint32_t *set, uint32_t ways) {
    for (uint32_t way = 0; way < ways; way++) {
        if (!set[way]) {
            return way;
        }
    }
    return next_random(t) & (ways - 1);
}

static inline void add_fetch(timing_t *t, uint32_t ticks) {
    t->fetch_misses++;
    t->fetch_ticks += ticks;
    t->core->ticks += ticks;
}

static inline void add_data(timing_t *t, uint32_t ticks) {
    t->data_ticks += ticks;
    t->core->ticks += ticks;
}

/* The line in the accelerator, or the one that its prefetch has fetched meanwhile. */
static inline int art_holds(timing_t *t, uint32_t line) {
    if (!t->art) {
        return 0;
    }
    uint32_t *slot = &t->art_lines[(line / LINE_BYTES) % ART_LINES];
    const int held =
        *slot == (line | LINE_VALID) || (t->prefetch && line == t->art_line + LINE_BYTES);
    *slot = line | LINE_VALID;
    return held;
}

static inline void fetch_cached(timing_t *t, uint32_t line, int place) {
    uint32_t *set = &t->i_lines[(line / LINE_BYTES % I_SETS) * I_WAYS];
    for (uint32_t way = 0; way < I_WAYS; way++) {
        if (set[way] == (line | LINE_VALID)) {
            return;
        }
    }
    set[victim(t, set, I_WAYS)] = line | LINE_VALID;
    add_fetch(t, place == PLACE_FLASH ? t->flash_fill_ticks : t->sram_fill_ticks);
}

/* Beats of 64 bits; the flash keeps its last line of 256 bits open. */
static inline void fetch_uncached(timing_t *t, uint32_t line, uint32_t from, uint32_t to,
                                  int place) {
    uint32_t beats = (to - 1) / BEAT_BYTES - from / BEAT_BYTES + 1;
    if (place == PLACE_SRAM) {
        add_fetch(t, beats * t->sram_beat_ticks);
        return;
    }
    const uint32_t first = line == t->fetch_line ? t->flash_beat_ticks : t->flash_fill_ticks;
    add_fetch(t, first + (beats - 1) * t->flash_beat_ticks);
}

static inline void fetch(timing_t *t, uint32_t address, uint32_t size) {
    const int place = place_of(address);
    if (place == PLACE_FREE) {
        return;
    }
    const uint32_t end = address + size;
    for (uint32_t line = address & ~(LINE_BYTES - 1); line < end; line += LINE_BYTES) {
        if (place != PLACE_ART && !t->i_cache) {
            const uint32_t from = line > address ? line : address;
            const uint32_t to = line + LINE_BYTES < end ? line + LINE_BYTES : end;
            fetch_uncached(t, line, from, to, place);
        } else if (line == t->fetch_line) {
            continue;
        } else if (place == PLACE_ART) {
            if (!art_holds(t, line)) {
                add_fetch(t, t->art_miss_ticks);
            }
            t->art_line = line;
        } else {
            fetch_cached(t, line, place);
        }
        t->fetch_line = line;
    }
}

static inline void cached_access(timing_t *t, uint32_t line, int place, uint32_t write) {
    uint32_t *set = &t->d_lines[(line / LINE_BYTES % D_SETS) * D_WAYS];
    for (uint32_t way = 0; way < D_WAYS; way++) {
        if ((set[way] & ~LINE_DIRTY) == (line | LINE_VALID)) {
            set[way] |= write ? LINE_DIRTY : 0;
            return;
        }
    }
    uint32_t *entry = &set[victim(t, set, D_WAYS)];
    uint32_t ticks = 0;
    if (*entry & LINE_DIRTY) {
        t->write_backs++;
        ticks += t->write_back_ticks;
    }
    *entry = line | LINE_VALID | (write ? LINE_DIRTY : 0);
    if (write) {
        t->store_misses++;
        ticks += t->store_miss_ticks;
    } else {
        t->load_misses++;
        ticks += place == PLACE_FLASH ? t->flash_fill_ticks : t->sram_fill_ticks;
    }
    add_data(t, ticks);
}

static inline void uncached_access(timing_t *t, uint32_t address, uint32_t bytes, int place,
                                   uint32_t write) {
    const uint32_t line = address & ~(LINE_BYTES - 1);
    if (write) {
        return; /* the store buffer takes it */
    }
    t->load_misses++;
    if (place == PLACE_SRAM) {
        add_data(t, t->sram_beat_ticks * ((bytes + 3) / 4));
    } else if (line != t->open_line) {
        t->open_line = line;
        add_data(t, t->flash_fill_ticks);
    } else {
        add_data(t, t->flash_beat_ticks * ((bytes + 7) / 8));
    }
}

static inline void data_access(timing_t *t, uint32_t address, uint32_t bytes, uint32_t write) {
    const int place = place_of(address);
    t->accesses++;
    if (!write && bytes <= 4 && (address & 3) + bytes > 4) {
        t->unaligned++;
        add_data(t, t->unaligned_ticks);
    }
    if (place == PLACE_FREE) {
        return;
    }
    const uint32_t first = address & ~(LINE_BYTES - 1);
    if (place == PLACE_PERIPHERAL) {
        add_data(t, write ? t->peripheral_write_ticks : t->peripheral_read_ticks);
    } else if (place == PLACE_PRIVATE) {
        add_data(t, write ? 0 : t->private_read_ticks);
    } else if (place == PLACE_ART) {
        if (!art_holds(t, first)) {
            add_data(t, t->art_miss_ticks);
        }
    } else if (!t->d_cache) {
        uncached_access(t, address, bytes, place, write);
    } else {
        for (uint32_t line = first; line <= address + bytes - 1; line += LINE_BYTES) {
            cached_access(t, line, place, write);
        }
    }
}

#endif
