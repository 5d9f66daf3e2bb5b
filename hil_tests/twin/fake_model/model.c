/* A device half that a test can predict: the feature map is the input, logit i
 * is the input's byte i, the payload is channels 1 and 2 of 4. The first input
 * byte may call for trouble. */
#include "board.h"
#include "hil_encode.h"
#include "hil_kernels.h"
#include "hil_lzw.h"
#include "hil_model.h"
#include "quantise.h"

#define PIXELS   768
#define CHANNELS 4
#define INPUT    (PIXELS * CHANNELS)
#define CLASSES  10
#define SENT     (PIXELS * 2)

#define CALL_FOR_FAULT   (-100)
#define CALL_FOR_HANG    (-101)
#define CALL_FOR_REFUSAL (-102)

static struct {
    int8_t input[INPUT];
    int8_t logits[CLASSES];
    uint8_t symbols[SENT];
    uint8_t payload[2 * SENT];
    uint32_t scratch[HIL_LZW_SCRATCH_BYTES / 4];
} arena __attribute__((section(".hil_arena"), aligned(32)));

#define ROW(x)  x, x + 1, x + 2, x + 3, x + 4, x + 5, x + 6, x + 7
#define SAME(s) s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s

static int32_t reply[CLASSES];
static uint32_t cycles[2];
static hil_span_t spans[2];

/* With a limit of 1: every other logit is 100 or more below the best. */
static const uint32_t exponentials[256] = {[0 ... 99] = 1U << 24};

static const uint8_t symbol_of[256] = {SAME(0),  SAME(1),  SAME(2),  SAME(3), SAME(4),  SAME(5),
                                       SAME(6),  SAME(7),  SAME(8),  SAME(9), SAME(10), SAME(11),
                                       SAME(12), SAME(13), SAME(14), SAME(15)};

static int32_t pack(uint32_t *quantised) {
    hil_quantise(arena.input, &hil_model.payload, symbol_of, arena.symbols);
    *quantised = hil_cycles();
    return hil_encode_lzw(&hil_model.payload, arena.symbols, arena.scratch, arena.payload,
                          sizeof arena.payload);
}

const hil_model_t hil_model = {
    .bundle_hash = {ROW(0), ROW(8), ROW(16), ROW(24)},
    .input_bytes = INPUT,
    .arena_bytes = sizeof arena,
    .payload_capacity = sizeof arena.payload,
    .classes = CLASSES,
    .layers = 2,
    .exit = {.exponentials = exponentials, .limit = 1U << 24},
    .fusion = {.local_multiplier = 300, .local_zero_point = -5, .remote_multiplier = 7},
    .payload = {.pixels = PIXELS,
                .feature_channels = CHANNELS,
                .channel_begin = 1,
                .channels = 2,
                .alphabet = 16,
                .codec = HIL_CODEC_LZW},
    .coverage = {spans, 2},
    .pack = pack,
};

const hil_model_buffers_t hil_model_buffers = {
    .input = arena.input,
    .logits = arena.logits,
    .payload = arena.payload,
    .reply = reply,
    .layer_cycles = cycles,
};

/* Linked in for tests that call functions one by one. */
const void *volatile kept;

void (*hil_model_progress)(uint32_t settled_bytes);

int hil_model_run(uint32_t *layer_cycles) {
    kept = (const void *)hil_clamp_s8;
    kept = (const void *)hil_pad_s8;
    kept = (const void *)hil_slice_channels_s8;
    kept = (const void *)hil_lzw_encode;
    kept = (const void *)hil_lzw_decode;
    kept = (const void *)hil_encode;
    switch (arena.input[0]) {
    case CALL_FOR_FAULT:
        *(volatile uint32_t *)0xE000ED04 = 1U << 28; /* SCB_ICSR_PENDSVSET, which none handles */
        __asm volatile("dsb\n isb");
        break;
    case CALL_FOR_HANG:
        for (;;) {
            __asm volatile("wfi"); /* the tick goes on: only the main loop is missing */
        }
    case CALL_FOR_REFUSAL:
        return 2;
    default:
        break;
    }
    for (uint32_t i = 0; i < CLASSES; i++) {
        arena.logits[i] = arena.input[i];
    }
    if (layer_cycles != 0) {
        layer_cycles[0] = 11;
        layer_cycles[1] = 22;
    }
    return 0;
}
