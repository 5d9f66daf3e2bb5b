#include "exchange.h"

#include "board.h"
#include "hil_model.h"
#include "messages.h"
#include "transport.h"
#include "upkeep.h"

static uint32_t send_chunk(uint32_t sample, hil_bytes_t payload, uint32_t offset) {
    const uint32_t left = payload.count - offset;
    const hil_chunk_t chunk = {
        .sample = sample,
        .total = payload.count,
        .offset = offset,
        .data = {payload.at + offset, left < HIL_CHUNK_MAX ? left : HIL_CHUNK_MAX},
    };
    uint8_t head[HIL_PAYLOAD_LAYOUT_BYTES];
    (void)hil_transport_begin(HIL_FRAME_PAYLOAD, (hil_bytes_t){head, hil_chunk_pack(&chunk, head)},
                              chunk.data);
    return offset + chunk.data.count;
}

/* Why a message does not belong into an exchange: HIL_REJECT_*, or 0 for a sound reply. */
static uint8_t refusal(const hil_message_t *message, hil_reply_t *reply) {
    if (message->version != HIL_PROTOCOL_VERSION) {
        return HIL_REJECT_VERSION;
    }
    if (message->kind != HIL_FRAME_REPLY) {
        const bool known = message->kind >= HIL_FRAME_HELLO && message->kind < HIL_FRAME_REPLY;
        return known ? HIL_REJECT_VALUE : HIL_REJECT_UNKNOWN_TYPE;
    }
    if (!hil_reply_unpack(message->body, reply)) {
        return HIL_REJECT_LENGTH;
    }
    const bool sound = reply->status == HIL_REPLY_UNAVAILABLE ||
                       (reply->status == HIL_REPLY_OK && reply->count == hil_model.classes);
    return sound ? 0U : HIL_REJECT_VALUE;
}

/* Takes the waiting message; true when it ends the exchange. */
static bool take(uint32_t sample, uint32_t deadline, hil_exchange_t *exchange) {
    const hil_message_t *const message = hil_transport_peek();
    if (message == 0) {
        return false;
    }
    if (message->kind == HIL_FRAME_HELLO) {
        exchange->abandoned = true; /* the main loop answers it */
        return true;
    }
    hil_reply_t reply;
    const uint8_t refused = refusal(message, &reply);
    bool answered = false;
    if (refused != 0U) {
        exchange->refused = message->kind;
        exchange->refusal = refused;
    } else if (reply.sample == sample && message->arrival - exchange->begun <= deadline) {
        answered = true;
        exchange->ended = message->arrival;
        const bool available = reply.status == HIL_REPLY_OK;
        exchange->reason = available ? HIL_FALLBACK_NONE : HIL_FALLBACK_SERVER_UNAVAILABLE;
        for (uint32_t i = 0; available && i < hil_model.classes; i++) {
            hil_model_buffers.reply[i] = hil_reply_logit(&reply, i);
        }
    }
    hil_transport_drop();
    return answered;
}

void hil_exchange(uint32_t sample, hil_bytes_t payload, uint32_t deadline_us,
                  hil_exchange_t *exchange) {
    const uint32_t deadline = deadline_us * (hil_clock_hz() / 1000000U);
    const uint32_t tick = hil_clock_hz() / 1000U;
    exchange->abandoned = false;
    exchange->refusal = 0;
    uint32_t sent = send_chunk(sample, payload, 0);
    exchange->begun = hil_cycles();
    for (;;) {
        const hil_sending_t sending = hil_transport_poll();
        if (take(sample, deadline, exchange)) {
            break;
        }
        const uint32_t elapsed = hil_cycles() - exchange->begun;
        if (elapsed >= deadline) {
            exchange->reason = HIL_FALLBACK_DEADLINE;
            exchange->ended = exchange->begun + deadline;
            break;
        }
        if (sending == HIL_SENDING_GAVE_UP) {
            exchange->reason = HIL_FALLBACK_LINK_DOWN;
            exchange->ended = exchange->begun + elapsed;
            break;
        }
        hil_upkeep();
        if (sending == HIL_SENDING_IDLE && sent < payload.count) {
            sent = send_chunk(sample, payload, sent);
        } else if (deadline - elapsed > tick) {
            hil_sleep(); /* the next tick comes before the deadline; the rest is spent awake */
        }
    }
    hil_transport_cancel();
}
