/*
 * Which instructions fault on an address or a divisor, and which registers instructions write:
 * enough to tell at a block's entry whether a base register is aligned. Mirrored in traps.py.
 */
#ifndef HIL_TRAPS_H
#define HIL_TRAPS_H

#include <stdint.h>

/* The base register of an instruction that faults unless its address is word-aligned, whatever CCR
 * says: LDM, STM, LDRD, STRD, VLDR, VSTR, VLDM, VSTM (ARMv7-M ARM A3.2.1). SP and PC always are;
 * -1. */
static inline int aligned_base(uint32_t first, uint32_t second) {
    int base = -1;
    if ((first & 0xF000) == 0xC000) {
        return (int)(first >> 8 & 7);
    }
    if ((first & 0xFE40) == 0xE800 || ((first & 0xFE40) == 0xE840 && (first & 0x0120))) {
        base = (int)(first & 15); /* multiples, and LDRD or STRD: P or W set */
    } else if ((first & 0xFE00) == 0xEC00 && (second & 0x0E00) == 0x0A00 && (first & 0x01A0)) {
        base = (int)(first & 15); /* P, U or W set: otherwise a move of two core registers */
    }
    return base == 13 || base == 15 ? -1 : base;
}

/* Core registers that a 16-bit instruction writes, its writeback of whole words left out: that does
 * not change how a base is aligned. */
static inline uint32_t written_by_narrow(uint32_t first) {
    const uint32_t low = 1u << (first & 7), middle = 1u << (first >> 8 & 7);
    switch (first >> 12) {
    case 0x2: /* MOV, CMP; in 3 ADD, SUB */
        return first & 0x0800 ? 0 : middle;
    case 0x3:
    case 0xA:
        return middle;
    case 0x4:
        if (first >= 0x4800) {
            return middle;
        }
        if (first >= 0x4400) {
            return (first & 0x0300) == 0x0100 ? 0 : 1u << ((first & 7) | (first >> 4 & 8));
        }
        return low;
    case 0x5:
        return (first >> 9 & 7) < 3 ? 0 : low;
    case 0x6:
    case 0x7:
    case 0x8:
        return first & 0x0800 ? low : 0;
    case 0x9:
        return first & 0x0800 ? middle : 0;
    case 0xB:
        if ((first & 0xFE00) == 0xBC00) {
            return first & 0xFF;
        }
        return (first & 0xFF00) == 0xB200 || (first & 0xFF00) == 0xBA00 ? low : 0;
    case 0xC:
        return first & 0x0800 ? first & 0xFF : 0;
    case 0x0:
    case 0x1:
        return low;
    default:
        return 0;
    }
}

static inline uint32_t written_by_wide(uint32_t first, uint32_t second) {
    const uint32_t d = 1u << (second >> 8 & 15), t = 1u << (second >> 12), n = 1u << (first & 15);
    const int load = first & 0x0010;
    if ((first & 0xFE40) == 0xE800) {
        return load ? second : 0;
    }
    if ((first & 0xFE40) == 0xE840) {
        return load ? t | d : first & 0x0120 ? 0 : d | 1u << (second & 15);
    }
    if ((first & 0xFE00) == 0xEC00) {
        return t | n;
    }
    if ((first & 0xFF00) == 0xEE00) {
        return t;
    }
    if ((first & 0xFE00) == 0xF800) {
        const int back = !(first & 0x0080) && (second & 0x0900) == 0x0900;
        return (load ? t : 0) | (back ? n : 0);
    }
    return (first & 0xFF80) == 0xFB80 ? d | t : d;
}

static inline uint32_t written_by(uint32_t first, uint32_t second) {
    return first < 0xE800 ? written_by_narrow(first) : written_by_wide(first, second);
}

static inline int is_divide(uint32_t first, uint32_t second) {
    return (first & 0xFFD0) == 0xFB90 && (second & 0x00F0) == 0x00F0;
}

#endif
