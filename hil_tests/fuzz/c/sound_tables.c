#include "sound_tables.h"

#include "hil_wire.h"

#define TOTAL          (1U << HIL_RANGE_BITS)
#define CONTEXTS       (HIL_CONTEXT_LEVELS * HIL_CONTEXT_LEVELS)
#define CONTEXT_TABLES 2U
#define CHANNEL_HALVES 10U

/* A row that sums to TOTAL: `step` words lie between one symbol's and the next one's. */
static void frequencies(uint32_t *row, uint32_t alphabet, uint32_t step, fuzz_t *fuzz) {
    uint32_t sizes[256], left = TOTAL - alphabet, start = 0;
    for (uint32_t i = 0; i < alphabet; i++) {
        const uint32_t share = fuzz8(fuzz), taken = i + 1U < alphabet ? left * share / 256U : left;
        sizes[i] = 1U + taken;
        left -= taken;
    }
    for (uint32_t i = 0; i < alphabet; i++) {
        row[i * step] = start << 16 | sizes[i];
        start += sizes[i];
    }
}

/* A complete code: leaves are split until there are enough, then numbered canonically. */
static void huffman(uint32_t *row, uint32_t alphabet, fuzz_t *fuzz) {
    uint8_t lengths[256] = {1, 1};
    for (uint32_t count = 2; count < alphabet; count++) {
        uint32_t leaf = fuzz8(fuzz) % count;
        while (lengths[leaf] == HIL_HUFFMAN_LENGTH_MAX) {
            leaf = (leaf + 1U) % count;
        }
        lengths[count] = ++lengths[leaf];
    }
    uint32_t code = 0;
    for (uint32_t length = 1; length <= HIL_HUFFMAN_LENGTH_MAX; length++, code <<= 1) {
        for (uint32_t i = 0; i < alphabet; i++) {
            if (lengths[i] == length) {
                row[i] = length << 16 | code++;
            }
        }
    }
}

static void context(const hil_payload_format_t *format, uint32_t *table, fuzz_t *fuzz) {
    const uint32_t words = (format->width + 3U) / 4U, alphabet = format->alphabet;
    table[0] = fuzz8(fuzz) | (uint32_t)fuzz8(fuzz) << 16;
    table[1] = fuzz8(fuzz) % 3U | CONTEXT_TABLES << 16;
    for (uint32_t channel = 0; channel < format->channels; channel++) {
        uint16_t halves[CHANNEL_HALVES] = {0};
        const uint32_t second = fuzz8(fuzz), first = fuzz8(fuzz) % (channel + 1U);
        const uint32_t beside = second % (channel + 1U);
        halves[0] = (uint16_t)(first * words);
        halves[1] = (second & 0x80U) != 0U ? HIL_CONTEXT_LEFT : (uint16_t)(beside * words);
        halves[2] = (uint16_t)(fuzz8(fuzz) % (channel + 1U));
        halves[3] = (uint16_t)(fuzz8(fuzz) % CONTEXT_TABLES * CONTEXTS * alphabet);
        for (uint32_t i = 4; i < 9U; i++) {
            halves[i] = (uint16_t)(1U + fuzz16(fuzz) % (TOTAL - 1U));
        }
        memcpy(table + 2U + CHANNEL_HALVES / 2U * channel, halves, sizeof halves);
    }
    table += 2U + CHANNEL_HALVES / 2U * format->channels;
    for (uint32_t row = 0; row < CONTEXT_TABLES * CONTEXTS; row++) {
        frequencies(table + row / CONTEXTS * CONTEXTS * alphabet + row % CONTEXTS, alphabet,
                    CONTEXTS, fuzz);
    }
    frequencies(table + CONTEXT_TABLES * CONTEXTS * alphabet, alphabet, 1, fuzz);
}

uint32_t sound_table_bytes(const hil_payload_format_t *format) {
    switch (format->codec) {
    case HIL_CODEC_RANGE:
    case HIL_CODEC_HUFFMAN:
        return 4U * format->channels * format->alphabet;
    case HIL_CODEC_CONTEXT:
        return 4U * (2U + CHANNEL_HALVES / 2U * format->channels +
                     (CONTEXT_TABLES * CONTEXTS + 1U) * format->alphabet);
    default:
        return 0;
    }
}

void sound_table(const hil_payload_format_t *format, uint32_t *table, fuzz_t *fuzz) {
    if (format->codec == HIL_CODEC_CONTEXT) {
        context(format, table, fuzz);
        return;
    }
    for (uint32_t channel = 0; sound_table_bytes(format) != 0U && channel < format->channels;
         channel++, table += format->alphabet) {
        if (format->codec == HIL_CODEC_RANGE) {
            frequencies(table, format->alphabet, 1, fuzz);
        } else {
            huffman(table, format->alphabet, fuzz);
        }
    }
}
