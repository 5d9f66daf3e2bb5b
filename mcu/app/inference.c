#include "inference.h"

#include "board.h"
#include "crc32.h"
#include "exchange.h"
#include "exit.h"
#include "fuse.h"
#include "hil_model.h"
#include "send.h"
#include "transport.h"

#define NO_PREDICTION UINT16_MAX
#define LAYERS_MAX    ((HIL_BODY_MAX - HIL_LAYERS_LAYOUT_BYTES) / 4U)

static hil_exchange_t exchange;
static uint32_t early_bytes;

static void send_early(uint32_t settled) {
    hil_exchange_early(&exchange, settled, early_bytes);
}

/* The graph and the decision whether its answer stands. Nothing leaves before that decision. */
static uint8_t run_graph(bool with_layers) {
    const bool local_only = hil_model.payload.channels == 0U;
    hil_model_progress =
        early_bytes != 0U && hil_model.exit.exponentials == 0 && !local_only ? send_early : 0;
    const int failed = hil_model_run(with_layers ? hil_model_buffers.layer_cycles : 0);
    hil_model_progress = 0;
    if (failed != 0) {
        return HIL_OUTCOME_FAILED;
    }
    if (hil_model_buffers.logits == 0) {
        return local_only ? HIL_OUTCOME_FAILED : HIL_OUTCOME_ANSWERED;
    }
    const bool sure = hil_exit(&hil_model.exit, hil_model_buffers.logits, hil_model.classes);
    return local_only || sure ? HIL_OUTCOME_LOCAL : HIL_OUTCOME_ANSWERED;
}

static void answer_locally(hil_result_t *result, uint8_t outcome) {
    const int8_t *const logits = hil_model_buffers.logits;
    result->outcome = logits == 0 ? (uint8_t)HIL_OUTCOME_FAILED : outcome;
    result->prediction = logits == 0 ? NO_PREDICTION : hil_argmax_s8(logits, hil_model.classes);
}

static void fuse(hil_result_t *result) {
    int32_t *const logits = hil_model_buffers.reply;
    hil_fuse(&hil_model.fusion, hil_model_buffers.logits, logits, hil_model.classes, logits);
    result->outcome = HIL_OUTCOME_ANSWERED;
    result->prediction = hil_argmax_s32(logits, hil_model.classes);
    result->fused = logits;
    result->fused_count = hil_model.classes;
}

/* Up to `computed` the device's own work, from there to `ended` the wait; what was sent meanwhile
 * is framing. */
static void account(hil_stage_cycles_t *cycles, uint32_t packed) {
    const bool early = exchange.early_cycles != 0U;
    const uint32_t computed = early ? packed : exchange.begun;
    if ((int32_t)(exchange.ended - computed) < 0) {
        exchange.ended = computed; /* it was over before all was computed */
    }
    cycles->graph -= exchange.early_cycles;
    cycles->frame = exchange.early_cycles + (computed - packed);
    cycles->overlap = computed - exchange.begun;
    cycles->wait = exchange.ended - computed;
}

/* Quantises, encodes, sends, waits and fuses. */
static void offload(hil_result_t *result) {
    hil_stage_cycles_t *const cycles = &result->cycles;
    const uint32_t pack_begun = hil_cycles();
    uint32_t quantised = pack_begun;
    const int32_t encoded = hil_model.pack(&quantised);
    const uint32_t packed = hil_cycles();
    cycles->quantise = quantised - pack_begun;
    cycles->encode = packed - quantised;
    if (encoded <= 0) {
        result->outcome = HIL_OUTCOME_FAILED;
        return;
    }
    result->payload_bytes = (uint32_t)encoded;
    hil_exchange_finish(&exchange, (uint32_t)encoded);
    account(cycles, packed);
    if (exchange.abandoned) {
        return; /* there is no reply to fuse, and nobody waits for an answer */
    }
    result->reason = exchange.reason;
    if (exchange.reason == HIL_FALLBACK_NONE) {
        fuse(result);
    } else {
        answer_locally(result, HIL_OUTCOME_FALLBACK);
    }
    cycles->fuse = hil_cycles() - exchange.ended;
}

static void report(hil_result_t *result, bool with_layers) {
    if (exchange.refusal != 0U) {
        const uint8_t reject[HIL_REJECT_LAYOUT_BYTES] = {exchange.refused, exchange.refusal};
        exchange.refusal = 0;
        (void)hil_send(HIL_FRAME_REJECT, (hil_bytes_t){reject, sizeof reject});
    }
    const hil_counters_t counters = hil_transport_counters();
    result->retransmissions = counters.retransmissions;
    result->crc_errors = counters.damaged;
    result->stack_peak_bytes = hil_stack_peak();
    result->cycles.verify = exchange.verify_cycles;
    result->unauthentic =
        exchange.unauthentic < UINT16_MAX ? (uint16_t)exchange.unauthentic : UINT16_MAX;
    if (result->payload_bytes != 0U) { /* after everything that is timed */
        result->payload_crc = hil_crc32(0, hil_model_buffers.payload, result->payload_bytes);
    }
    uint8_t *body = hil_transport_body();
    if (hil_send(HIL_FRAME_RESULT, (hil_bytes_t){body, hil_result_pack(result, body)}) &&
        with_layers) {
        body = hil_transport_body();
        const uint32_t count =
            hil_layers_pack(result->sample, hil_model_buffers.layer_cycles, hil_model.layers, body);
        (void)hil_send(HIL_FRAME_LAYERS, (hil_bytes_t){body, count});
    }
}

void hil_infer(const hil_run_t *run, const hil_configure_t *configure, uint32_t input_crc) {
    const bool with_layers = (run->flags & HIL_RUN_LAYERS) != 0U && hil_model.layers <= LAYERS_MAX;
    hil_result_t result = {
        .sample = run->sample, .prediction = NO_PREDICTION, .input_crc = input_crc};
    early_bytes = configure->early_bytes;
    hil_exchange_start(&exchange, run->sample, configure->deadline_us);
    hil_watchdog_kick(); /* the graph gets the whole period */
    const uint32_t begun = hil_cycles();
    result.outcome = run_graph(with_layers);
    result.cycles.graph = hil_cycles() - begun;
    if (result.outcome == HIL_OUTCOME_LOCAL) {
        const uint32_t fuse_begun = hil_cycles();
        answer_locally(&result, HIL_OUTCOME_LOCAL);
        result.cycles.fuse = hil_cycles() - fuse_begun;
    } else if (result.outcome == HIL_OUTCOME_ANSWERED) {
        offload(&result);
    }
    if (exchange.abandoned) {
        return;
    }
    result.cycles.total = hil_cycles() - begun;
    if (result.outcome != HIL_OUTCOME_FAILED && hil_model_buffers.logits != 0) {
        result.local = hil_model_buffers.logits;
        result.local_count = hil_model.classes;
    }
    report(&result, with_layers);
}
