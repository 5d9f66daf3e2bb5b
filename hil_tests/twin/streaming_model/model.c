/* A device half that makes its payload row by row and takes its time: the payload is the input,
 * logit i is the input's byte i. The first input byte may call for trouble. */
#include "board.h"
#include "hil_model.h"
#include "hil_wire.h"

#define INPUT   3072
#define ROWS    24
#define CLASSES 10
#define ROW     (INPUT / ROWS)

#define ROW_CYCLES 10800U /* 50 us */

#define CALL_FOR_REFUSAL   (-102) /* the graph fails after half of the rows */
#define CALL_FOR_NO_CODE   (-103) /* the encoder fails after all of them */
#define CALL_FOR_LONG_ROWS (-104) /* 2 ms each */

static struct {
    int8_t input[INPUT];
    int8_t logits[CLASSES];
    uint8_t payload[INPUT];
} arena __attribute__((section(".hil_arena"), aligned(32)));

static int32_t reply[CLASSES];
static uint32_t cycles[1];
static hil_span_t spans[2];

static int32_t pack(uint32_t *quantised) {
    *quantised = hil_cycles();
    return arena.input[0] == CALL_FOR_NO_CODE ? -1 : INPUT;
}

const hil_model_t hil_model = {
    .input_bytes = INPUT,
    .arena_bytes = sizeof arena,
    .payload_capacity = INPUT,
    .classes = CLASSES,
    .layers = 1,
    .fusion = {.local_multiplier = 1, .remote_multiplier = 1},
    .payload = {.pixels = INPUT,
                .feature_channels = 1,
                .channels = 1,
                .alphabet = 256,
                .codec = HIL_CODEC_NONE,
                .order = HIL_ORDER_ROWS,
                .width = ROW},
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

void (*hil_model_progress)(uint32_t settled_bytes);

int hil_model_run(uint32_t *layer_cycles) {
    const uint32_t row_cycles =
        arena.input[0] == CALL_FOR_LONG_ROWS ? 40U * ROW_CYCLES : ROW_CYCLES;
    for (uint32_t row = 0; row < ROWS; row++) {
        const uint32_t begun = hil_cycles();
        if (arena.input[0] == CALL_FOR_REFUSAL && row == ROWS / 2) {
            return 1;
        }
        for (uint32_t i = row * ROW; i < (row + 1) * ROW; i++) {
            arena.payload[i] = (uint8_t)arena.input[i];
        }
        while (hil_cycles() - begun < row_cycles) {
        }
        if (hil_model_progress != 0) {
            hil_model_progress((row + 1) * ROW);
        }
    }
    for (uint32_t i = 0; i < CLASSES; i++) {
        arena.logits[i] = arena.input[i];
    }
    if (layer_cycles != 0) {
        layer_cycles[0] = ROWS * row_cycles;
    }
    return 0;
}
