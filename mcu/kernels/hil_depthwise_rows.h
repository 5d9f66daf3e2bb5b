/*
 * What depthwise 3 x 3 convolutions of stride 1 or 2 are made of.
 *
 * Pixels interleave channels, but a SMLAD wants two taps of one channel side by side. So input rows
 * are transposed: each channel has a block of memory with its constants and then rows as int16,
 * padding included, each in a slot. A row of the window then is (x0 x1) and (x2 x3), words that
 * neighbours share: two products each for a pair of outputs, 12 for its 18 MACs.
 *
 * Costs, in cycles: 8.5 an output, 1 an input value, 10 a channel each time.
 */
#ifndef HIL_DEPTHWISE_ROWS_H
#define HIL_DEPTHWISE_ROWS_H

#include "hil_assembly.h"
#include "hil_expand.h"
#include "hil_requantise.h"

/* A layer; every field is a constant where it is used. */
typedef struct {
    int in_height, in_width;
    int out_height, out_width, channels;
    int stride, pad_top, pad_left;
    int in_zero, out_zero, low, high;
    int slots; /* rows of input that a channel's block holds */
    int rows;  /* of output that are computed at once */
} hil_depthwise_t;

enum {
    HIL_TAPS = 3,
    /* Of a channel's constants: for rows 0, 1, 2, 0, 1 of the kernel the words (w0 w1) and (w1 w2).
     */
    HIL_WEIGHT_WORDS = 10,
    /* And before them bias, less the input's zero point times the weights, and doubled multiplier.
     */
    HIL_CHANNEL_WORDS = HIL_WEIGHT_WORDS + 2
};

/* int16 values of a padded row: those that windows reach, to a word boundary. */
HIL_INLINE int hil_padded_width(const hil_depthwise_t *c) {
    return ((c->out_width - 1) * c->stride + HIL_TAPS + 1) & ~1;
}

/* Bytes of a channel's block: constants, then the slots. */
HIL_INLINE int hil_block_bytes(const hil_depthwise_t *c) {
    return 4 * HIL_CHANNEL_WORDS + 2 * c->slots * hil_padded_width(c);
}

/* Two pixels of four channels, from words of four int8, to the same word of four blocks. */
HIL_INLINE void hil_transpose(uint32_t left, uint32_t right, int block, char *to) {
    const uint32_t left02 = hil_even_bytes(left), left13 = hil_odd_bytes(left);
    const uint32_t right02 = hil_even_bytes(right), right13 = hil_odd_bytes(right);
    hil_store_word(to, (left02 & 0xFFFFU) | right02 << 16);
    hil_store_word(to + block, (left13 & 0xFFFFU) | right13 << 16);
    hil_store_word(to + 2 * block, left02 >> 16 | (right02 & 0xFFFF0000U));
    hil_store_word(to + 3 * block, left13 >> 16 | (right13 & 0xFFFF0000U));
}

/* The pixel `x` of four channels, or four zero points outside the map. */
HIL_INLINE uint32_t hil_four_channels(const hil_depthwise_t *c, const int8_t *row, int x) {
    const uint32_t zero = (uint8_t)c->in_zero * 0x01010101U;
    return x >= 0 && x < c->in_width ? hil_word(row + x * c->channels) : zero;
}

/* The same for `pairs` pairs of pixels side by side (a constant), in 8 cycles each. */
HIL_INLINE void hil_transpose_row(const hil_depthwise_t *c, const int8_t *pixel, int pairs,
                                  char *to) {
#if defined(__ARM_FEATURE_DSP)
    int32_t l, r, a, b, s, t, n;
    const int unroll = pairs % 4 == 0   ? 4
                       : pairs % 3 == 0 ? 3
                       : pairs % 2 == 0 ? 2
                       : pairs < 12     ? pairs
                                        : 1;
    __asm__ volatile("ldr %[r], [%[pixel], #%c[depth]]\n\t"
                     "ldr %[l], [%[pixel]]\n\t"
                     ".if %c[turns] > 1\n\t"
                     "mov %[n], #%c[turns]\n"
                     "0:\n\t"
                     "subs %[n], #1\n\t"
                     ".endif\n\t"
                     ".set hil_at, 0\n\t"
                     ".rept %c[unroll]\n\t"
                     "sxtb16 %[b], %[r]\n\t"
                     "add %[pixel], #2 * %c[depth]\n\t"
                     "sxtb16 %[a], %[l]\n\t"
                     "pkhbt %[s], %[a], %[b], lsl #16\n\t"
                     "pkhtb %[t], %[b], %[a], asr #16\n\t"
                     "str %[s], [%[to], #hil_at]\n\t"
                     "sxtb16 %[b], %[r], ror #8\n\t"
                     "str %[t], [%[to], #hil_at + 2 * %c[block]]\n\t"
                     "sxtb16 %[a], %[l], ror #8\n\t"
                     ".if hil_at < 4 * (%c[unroll] - 1)\n\t"
                     "ldr %[r], [%[pixel], #%c[depth]]\n\t"
                     ".elseif %c[turns] > 1\n\t"
                     "itt ne\n\t"
                     "ldrne %[r], [%[pixel], #%c[depth]]\n\t"
                     "ldrne %[l], [%[pixel]]\n\t"
                     ".endif\n\t"
                     "pkhbt %[s], %[a], %[b], lsl #16\n\t"
                     ".if hil_at < 4 * (%c[unroll] - 1)\n\t"
                     "ldr %[l], [%[pixel]]\n\t"
                     ".endif\n\t"
                     "pkhtb %[t], %[b], %[a], asr #16\n\t"
                     "str %[s], [%[to], #hil_at + %c[block]]\n\t"
                     "str %[t], [%[to], #hil_at + 3 * %c[block]]\n\t"
                     ".set hil_at, hil_at + 4\n\t"
                     ".endr\n\t"
                     ".if %c[turns] > 1\n\t"
                     "add %[to], #hil_at\n\t"
                     "bne 0b\n\t"
                     ".endif\n\t" HIL_LENGTH_OF_4
                     : [pixel] "+r"(pixel), [to] "+r"(to), [l] "=&r"(l), [r] "=&r"(r), [a] "=&r"(a),
                       [b] "=&r"(b), [s] "=&r"(s), [t] "=&r"(t), [n] "=&r"(n)
                     : [depth] "n"(c->channels), [block] "n"(hil_block_bytes(c)),
                       [unroll] "n"(unroll), [turns] "n"(pairs / unroll)
                     : "cc", "memory");
#else
    for (int i = 0; i < pairs; i++) {
        hil_transpose(hil_word(pixel), hil_word(pixel + c->channels), hil_block_bytes(c),
                      to + 4 * i);
        pixel += 2 * c->channels;
    }
#endif
}

/* Four channels of an input row (NULL: padding) into a slot. */
HIL_INLINE void hil_fill_four(const hil_depthwise_t *c, const int8_t *row, char *slot) {
    const int block = hil_block_bytes(c), words = hil_padded_width(c) / 2;
    const uint32_t zeros = ((uint32_t)c->in_zero & 0xFFFFU) * 0x10001U;
    if (!row) {
        for (int i = 0; i < words; i++) {
            for (int channel = 0; channel < 4; channel++) {
                hil_store_word(slot + channel * block + 4 * i, zeros);
            }
        }
        return;
    }
    const int first = (c->pad_left + 1) / 2;
    const int last =
        (c->in_width + c->pad_left) / 2 < words ? (c->in_width + c->pad_left) / 2 : words;
    for (int i = 0; i < first; i++) {
        hil_transpose(hil_four_channels(c, row, 2 * i - c->pad_left),
                      hil_four_channels(c, row, 2 * i + 1 - c->pad_left), block, slot + 4 * i);
    }
    if (first < last) {
        hil_transpose_row(c, row + (2 * first - c->pad_left) * c->channels, last - first,
                          slot + 4 * first);
    }
    for (int i = last > first ? last : first; i < words; i++) {
        hil_transpose(hil_four_channels(c, row, 2 * i - c->pad_left),
                      hil_four_channels(c, row, 2 * i + 1 - c->pad_left), block, slot + 4 * i);
    }
}

/* One channel of an input row (NULL: padding) into a slot. */
HIL_INLINE void hil_fill_one(const hil_depthwise_t *c, const int8_t *row, char *slot) {
    int16_t *const to = (int16_t *)slot;
    for (int i = 0; i < hil_padded_width(c); i++) {
        const int x = i - c->pad_left;
        const int is_inside = row && x >= 0 && x < c->in_width;
        to[i] = is_inside ? row[x * c->channels] : (int16_t)c->in_zero;
    }
}

#if defined(__ARM_FEATURE_DSP)

/* Products of two outputs with a row of the window; u: (w0 w1), v: (w1 w2). `next` go to xa and xb.
 */
#define HIL_PAIR_ROW(u, v, odd, here, next)                                                        \
    ".if %c[stride] == 1\n\t"                                                                      \
    "smlatb %[o], %[xa], %[" u "], %[" odd "]\n\t"                                                 \
    "smlad %[e], %[xa], %[" u "], %[e]\n\t"                                                        \
    "ldr %[xa], [%[in], #" next "]\n\t"                                                            \
    "smlabt %[e], %[xb], %[" v "], %[e]\n\t"                                                       \
    "smlad %[o], %[xb], %[" v "], %[o]\n\t"                                                        \
    "ldr %[xb], [%[in], #" next " + 4]\n\t"                                                        \
    ".else\n\t"                                                                                    \
    "smlad %[o], %[xb], %[" u "], %[" odd "]\n\t"                                                  \
    "smlad %[e], %[xa], %[" u "], %[e]\n\t"                                                        \
    "ldr %[xa], [%[in], #" here " + 8]\n\t"                                                        \
    "smlabt %[e], %[xb], %[" v "], %[e]\n\t"                                                       \
    "ldr %[xb], [%[in], #" next " + 4]\n\t"                                                        \
    "smlabt %[o], %[xa], %[" v "], %[o]\n\t"                                                       \
    "ldr %[xa], [%[in], #" next "]\n\t"                                                            \
    ".endif\n\t"

/*
 * `rows` rows of outputs of one channel, two at a time and all unrolled: two sums, two words of
 * input, six of weights. 17 cycles a pair. `block`: the channel's; `weights`: its rows in the order
 * of the slots.
 */
HIL_INLINE void hil_depthwise_rows(const hil_depthwise_t *c, const char *block, const char *weights,
                                   int8_t *output) {
    int32_t xa, xb, o, u0, v0, u1, v1, u2, v2, e = (int32_t)weights;
    /* clang-format off */
    __asm__ volatile(
        "ldrd %[u0], %[v0], [%[e]]\n\t"
        "ldrd %[u1], %[v1], [%[e], #8]\n\t"
        "ldrd %[u2], %[v2], [%[e], #16]\n\t"
        ".set hil_row, %c[slots]\n\t"
        ".rept %c[rows]\n\t"
        ".set hil_at, hil_row\n\t"
        ".set hil_left, %c[width]\n\t"
        "ldr %[xa], [%[in], #hil_at]\n\t"
        "ldr %[xb], [%[in], #hil_at + 4]\n\t"
        ".rept (%c[width] + 1) / 2\n\t"
        "ldr %[e], [%[in]]\n\t"
        HIL_PAIR_ROW("u0", "v0", "e", "hil_at", "hil_at + %c[slot]")
        HIL_PAIR_ROW("u1", "v1", "o", "hil_at + %c[slot]", "hil_at + 2 * %c[slot]")
        HIL_PAIR_ROW("u2", "v2", "o", "hil_at + 2 * %c[slot]", "hil_at + 4 * %c[stride]")
        "smmlar %[e], %[e], %[m], %[z]\n\t"
        "smmlar %[o], %[o], %[m], %[z]\n\t"
        "ssat %[e], #8, %[e]\n\t"
        HIL_CLAMP("e")
        "strb %[e], [%[output]]\n\t"
        ".if hil_left > 1\n\t"
        "ssat %[o], #8, %[o]\n\t"
        HIL_CLAMP("o")
        "strb %[o], [%[output], #%c[depth]]\n\t"
        "add %[output], #2 * %c[depth]\n\t"
        ".else\n\t"
        "add %[output], #%c[depth]\n\t"
        ".endif\n\t"
        ".set hil_at, hil_at + 4 * %c[stride]\n\t"
        ".set hil_left, hil_left - 2\n\t"
        ".endr\n\t"
        ".set hil_row, hil_row + %c[stride] * %c[slot]\n\t"
        ".endr\n\t" HIL_LENGTH_OF_36 HIL_LENGTH_OF_36
        : [output] "+r"(output), [xa] "=&r"(xa), [xb] "=&r"(xb), [e] "+r"(e), [o] "=&r"(o),
          [u0] "=&r"(u0), [v0] "=&r"(v0), [u1] "=&r"(u1), [v1] "=&r"(v1), [u2] "=&r"(u2),
          [v2] "=&r"(v2)
        : [in] "r"(block), [m] "r"(hil_word(block + 4)), [z] "r"(c->out_zero), [rows] "n"(c->rows),
          [stride] "n"(c->stride), [width] "n"(c->out_width), [slots] "n"(4 * HIL_CHANNEL_WORDS),
          [slot] "n"(2 * hil_padded_width(c)), [depth] "n"(c->channels), [low] "n"(c->low),
          [high] "n"(c->high)
        : "cc", "memory");
    /* clang-format on */
}

#else

HIL_INLINE void hil_depthwise_rows(const hil_depthwise_t *c, const char *block, const char *weights,
                                   int8_t *output) {
    const int16_t *const taps = (const int16_t *)weights;
    const int16_t *const slots = (const int16_t *)(block + 4 * HIL_CHANNEL_WORDS);
    for (int i = 0; i < c->rows * c->out_width; i++) {
        const int y = i / c->out_width, x = i % c->out_width;
        uint32_t sum = hil_word(block);
        for (int row = 0; row < HIL_TAPS; row++) {
            const int slot = y * c->stride + row;
            const int16_t *const at = slots + slot * hil_padded_width(c) + x * c->stride;
            sum += (uint32_t)(at[0] * taps[4 * row] + at[1] * taps[4 * row + 1] +
                              at[2] * taps[4 * row + 3]);
        }
        const int32_t multiplier = (int32_t)hil_word(block + 4);
        int32_t value = hil_saturate_s8(hil_requantise((int32_t)sum, multiplier, c->out_zero));
        value = value < c->low ? c->low : value > c->high ? c->high : value;
        output[i * c->channels] = (int8_t)value;
    }
}

#endif

#endif
