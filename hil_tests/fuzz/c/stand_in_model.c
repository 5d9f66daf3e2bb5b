#include "stand_in_model.h"

#include <stdbool.h>

/* The firmware sees them const; here they change from input to input. */
#define hil_model         hil_model_const
#define hil_model_buffers hil_model_buffers_const
#include "board.h"
#include "fuzz.h"
#include "hil_coder.h"
#include "hil_wire.h"
#include "quantise.h"
#undef hil_model
#undef hil_model_buffers
hil_model_t hil_model;
hil_model_buffers_t hil_model_buffers;
void (*hil_model_progress)(uint32_t settled_bytes);

#define ROWS  6U
#define WIDTH 10U

typedef struct {
    uint16_t classes, layers, channels; /* channels 0: nothing is sent */
    uint8_t codec, order;
    bool local, exits;
} sort_t;

/* The last but one fills a RESULT, the last more than a LAYERS. */
static const sort_t sorts[] = {
    {10, 1, 4, HIL_CODEC_NONE, HIL_ORDER_ROWS, true, false},
    {10, 2, 4, HIL_CODEC_LZW, HIL_ORDER_PLANES, true, false},
    {10, 3, 0, HIL_CODEC_NONE, HIL_ORDER_PLANES, true, false},
    {4, 1, 3, HIL_CODEC_LZW, HIL_ORDER_ROWS, false, false},
    {2, 1, 1, HIL_CODEC_LZ4, HIL_ORDER_PLANES, true, true},
    {200, 1, 40, HIL_CODEC_NONE, HIL_ORDER_ROWS, true, false},
    {1, 300, 4, HIL_CODEC_LZW, HIL_ORDER_ROWS, true, true},
};
#define SORTS (sizeof sorts / sizeof sorts[0])

static struct {
    sort_t sort;
    uint32_t scratch[HIL_LZW_SCRATCH_BYTES / 4U];
    uint8_t symbol_of[256], *symbols;
    uint32_t exponentials[256];
    hil_coder_t coder;
} half;

static uint32_t symbols_bytes(void) {
    return ROWS * WIDTH * half.sort.channels;
}

/* Row by row through the coder that takes them so; the network is the input itself. */
static int32_t pack(uint32_t *quantised) {
    const bool streams = half.sort.order == HIL_ORDER_ROWS && half.sort.codec != HIL_CODEC_LZ4;
    *quantised = hil_cycles();
    if (streams) {
        return half.sort.codec == HIL_CODEC_LZW ? hil_lzw_finish(&half.coder)
                                                : hil_none_finish(&half.coder);
    }
    hil_quantise(hil_model_buffers.input, &hil_model.payload, half.symbol_of, half.symbols);
    hil_encoder_t *const encode =
        half.sort.codec == HIL_CODEC_LZW ? hil_encode_lzw : hil_encode_lz4;
    return encode(&hil_model.payload, half.symbols, half.scratch, hil_model_buffers.payload,
                  hil_model.payload_capacity);
}

static int stream_rows(void) {
    const bool lzw = half.sort.codec == HIL_CODEC_LZW;
    (lzw ? hil_lzw_begin : hil_none_begin)(&half.coder, &hil_model.payload, half.scratch,
                                           hil_model_buffers.payload, hil_model.payload_capacity);
    hil_quantise(hil_model_buffers.input, &hil_model.payload, half.symbol_of, half.symbols);
    const uint8_t *row = half.symbols;
    for (uint32_t y = 0; y < ROWS; y++) {
        for (uint32_t c = 0; c < half.sort.channels; c++, row += WIDTH) {
            (void)(lzw ? hil_lzw_put : hil_none_put)(&half.coder, row, WIDTH, c);
        }
        if (hil_model_progress != NULL) {
            hil_model_progress(hil_coder_settled(&half.coder));
        }
        if (y == ROWS / 2U && hil_model_buffers.input[0] == -103) {
            return 1; /* after its first chunk */
        }
    }
    return 0;
}

int hil_model_run(uint32_t *layer_cycles) {
    if (hil_model_buffers.input[0] == -102) {
        return 2;
    }
    if (half.sort.channels != 0U && half.sort.order == HIL_ORDER_ROWS && stream_rows() != 0) {
        return 1;
    }
    for (uint32_t i = 0; half.sort.local && i < half.sort.classes; i++) {
        ((int8_t *)(uintptr_t)hil_model_buffers.logits)[i] =
            hil_model_buffers.input[i % hil_model.input_bytes];
    }
    for (uint32_t i = 0; layer_cycles != NULL && i < half.sort.layers; i++) {
        layer_cycles[i] = i;
    }
    return 0;
}

void stand_in_model(uint8_t sort) {
    half.sort = sorts[sort % SORTS];
    const uint32_t channels = half.sort.channels, classes = half.sort.classes;
    const bool sends = channels != 0U;
    const uint32_t input = ROWS * WIDTH * (sends ? channels : 1U);
    const uint32_t capacity = 2U * symbols_bytes() + 16U;
    for (uint32_t i = 0; i < 256U; i++) {
        half.symbol_of[i] = (uint8_t)(i / 16U);
        half.exponentials[i] = (1U << 24) >> (i < 31U ? i : 31U);
    }
    half.symbols = exactly(symbols_bytes());
    hil_model = (hil_model_t){
        .input_bytes = input,
        .arena_bytes = 4096,
        .payload_capacity = sends ? capacity : 0U,
        .classes = half.sort.classes,
        .layers = half.sort.layers,
        .exit = {half.sort.exits ? half.exponentials : NULL, (1U << 24) + 1000U},
        .fusion = {300, -5, 7},
        .payload = {.pixels = ROWS * WIDTH,
                    .feature_channels = half.sort.channels,
                    .channels = half.sort.channels,
                    .alphabet = 16,
                    .codec = half.sort.codec,
                    .order = half.sort.order,
                    .width = WIDTH},
        .coverage = {exactly(3U * sizeof(hil_span_t)), 3},
        .pack = sends ? pack : NULL,
    };
    hil_model_buffers = (hil_model_buffers_t){
        .input = exactly(input),
        .logits = half.sort.local ? exactly(classes) : NULL,
        .payload = sends ? exactly(capacity) : NULL,
        .reply = sends ? exactly(4U * (size_t)classes) : NULL,
        .layer_cycles = exactly(4U * (size_t)half.sort.layers),
    };
    memset(hil_model_buffers.input, 0, input);
    hil_model_progress = NULL;
}

void stand_in_model_end(void) {
    free(half.symbols - (symbols_bytes() == 0U));
    free(hil_model.coverage.spans);
    free(hil_model_buffers.input);
    free((void *)(uintptr_t)hil_model_buffers.logits);
    free(hil_model_buffers.payload);
    free(hil_model_buffers.reply);
    free(hil_model_buffers.layer_cycles);
}
