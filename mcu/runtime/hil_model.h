/*
 * The device half as the firmware sees it. `model.c` is generated from a bundle and defines
 * everything declared here; the firmware knows no scheme by name.
 */
#ifndef HIL_MODEL_H
#define HIL_MODEL_H

#include <stdint.h>

/* fused[i] = local_multiplier * (local[i] - local_zero_point) + remote_multiplier * remote[i].
 * The products stay below 2^29, so the sum fits int32. */
typedef struct {
    int32_t local_multiplier;
    int32_t local_zero_point;
    int32_t remote_multiplier;
} hil_fusion_t;

/* The local answer stands when its top-1 softmax, 1 / sum of exp(logit - best), reaches a
 * threshold: when the sum of exponentials[best - logit[i]] over all classes is at most `limit`.
 * Both are fixed point with 24 fraction bits, so that the sum over 255 classes fits. */
typedef struct {
    const uint32_t *exponentials; /* 256 of them, or NULL: never */
    uint32_t limit;
} hil_exit_rule_t;

/* Which part of the feature map crosses the link. A map is HWC: pixel p, channel c is at
 * feature[p * feature_channels + c]. Symbols lie in the order in which they are packed: channel by
 * channel, or row by row and in each row channel by channel. */
typedef struct {
    uint32_t pixels;
    uint16_t feature_channels;
    uint16_t channel_begin;
    uint16_t channels;     /* 0: nothing is sent and the local answer is final */
    uint16_t alphabet;     /* number of centroids */
    uint8_t codec;         /* HIL_CODEC_* */
    uint8_t order;         /* HIL_ORDER_* */
    uint16_t width;        /* of a row, in pixels */
    const uint32_t *table; /* what the codec knows beforehand, as its source says, or NULL */
} hil_payload_format_t;

typedef int32_t hil_encoder_t(const hil_payload_format_t *format, uint8_t *symbols, void *scratch,
                              uint8_t *out, uint32_t capacity);

/* Each packs the format's symbols into `out`. `scratch` is what the codec's own header asks for.
 * LZ4 leaves the symbols shuffled. Returns the bytes written, or -1 when a symbol is foreign or
 * `capacity` is too small. */
hil_encoder_t hil_encode_none, hil_encode_lzw, hil_encode_range, hil_encode_huffman, hil_encode_lz4,
    hil_encode_context;

/* Room for the spans of an input that have arrived. Chunks in the worst order need half as many as
 * there are chunks. */
typedef struct {
    uint32_t begin;
    uint32_t end;
} hil_span_t;

typedef struct {
    hil_span_t *spans;
    uint32_t capacity;
} hil_coverage_t;

typedef struct {
    uint8_t bundle_hash[32];
    uint32_t input_bytes;
    uint32_t arena_bytes;
    uint32_t payload_capacity; /* bytes at hil_model_buffers.payload */
    uint16_t classes;
    uint16_t layers;
    hil_exit_rule_t exit;
    hil_fusion_t fusion;
    hil_payload_format_t payload;
    hil_coverage_t coverage;

    /* Makes the payload of the last hil_model_run, at hil_model_buffers.payload, unless that has
     * done it on its way. `quantised` gets the DWT cycle at which all symbols were known. Returns
     * the bytes, or -1. NULL when nothing is sent. */
    int32_t (*pack)(uint32_t *quantised);
} hil_model_t;

/* The first three lie in static arenas and share memory where their lifetimes allow: `input` is
 * valid until hil_model_run returns, `logits` from then until the next hil_model_run, `payload`
 * until the next sample's input is written. */
typedef struct {
    int8_t *input;
    const int8_t *logits; /* classes bytes, or NULL */
    uint8_t *payload;     /* payload_capacity bytes, or NULL */
    int32_t *reply;       /* classes words for the server's logits, or NULL when nothing is sent */
    uint32_t *layer_cycles; /* layers words */
} hil_model_buffers_t;

extern const hil_model_t hil_model;
extern const hil_model_buffers_t hil_model_buffers;

/* Runs the device half on hil_model_buffers.input. layer_cycles, when not NULL, gets the DWT
 * cycles of each of hil_model.layers layers. Returns 0, or 1 + the index of the layer whose
 * kernel refused its arguments. */
int hil_model_run(uint32_t *layer_cycles);

/* Called by a hil_model_run that encodes on its way, after each row of the feature map, with the
 * bytes at hil_model_buffers.payload that will not change any more. NULL unless the firmware sets
 * it. */
extern void (*hil_model_progress)(uint32_t settled_bytes);

#endif
