#include "hil_lz4.h"

#include <string.h>

/* Exchanges bits of `x` that lie `shift` apart, those that `mask` names in the lower place. */
#define SWAP(x, shift, mask)                                                                       \
    do {                                                                                           \
        const uint32_t differ = ((x) ^ ((x) >> (shift))) & (mask);                                 \
        (x) ^= differ ^ (differ << (shift));                                                       \
    } while (0)

/* An 8 × 8 matrix of bits over its diagonal: bit j of byte i goes to bit i of byte j. First within
 * 2 × 2 bits, then 4 × 4, then between the two halves (Warren, Hacker's Delight, 7-3). */
static inline void transpose(uint32_t *low, uint32_t *high) {
    uint32_t x = *low, y = *high;
    SWAP(x, 7, 0x00AA00AAU);
    SWAP(y, 7, 0x00AA00AAU);
    SWAP(x, 14, 0x0000CCCCU);
    SWAP(y, 14, 0x0000CCCCU);
    *low = (x & 0x0F0F0F0FU) | (y & 0x0F0F0F0FU) << 4;
    *high = (x >> 4 & 0x0F0F0F0FU) | (y & 0xF0F0F0F0U);
}

void hil_shuffle(uint8_t *bytes, uint32_t count, uint8_t *block) {
    for (uint32_t left = count & ~7U; left != 0U;) {
        const uint32_t size = left < HIL_SHUFFLE_BLOCK ? left : HIL_SHUFFLE_BLOCK;
        const uint32_t plane = size / 8U;
        for (uint32_t i = 0; i < plane; i++) {
            uint32_t words[2];
            memcpy(words, bytes + 8U * i, sizeof words);
            transpose(&words[0], &words[1]);
            for (uint32_t bit = 0; bit < 8U; bit++) {
                block[bit * plane + i] = (uint8_t)(words[bit / 4U] >> bit % 4U * 8U);
            }
        }
        memcpy(bytes, block, size);
        bytes += size;
        left -= size;
    }
}
