#include "exchange.h"

#include "board.h"
#include "hil_model.h"
#include "messages.h"
#include "session.h"
#include "transport.h"
#include "upkeep.h"

/* A frame of `count` bytes; `total` is 0 as long as it is not known. */
static void send_chunk(hil_exchange_t *exchange, uint32_t count, uint32_t total) {
    const hil_chunk_t chunk = {
        .sample = exchange->sample,
        .total = total,
        .offset = exchange->sent,
        .counter = exchange->counter,
        .data = {hil_model_buffers.payload + exchange->sent, count},
    };
    uint8_t head[HIL_PAYLOAD_LAYOUT_BYTES];
    (void)hil_transport_begin(HIL_FRAME_PAYLOAD, (hil_bytes_t){head, hil_chunk_pack(&chunk, head)},
                              chunk.data);
    exchange->sent += count;
    if (!exchange->sending) {
        exchange->sending = true;
        exchange->begun = hil_cycles();
    }
}

static void send_rest(hil_exchange_t *exchange, uint32_t total) {
    const uint32_t left = total - exchange->sent;
    send_chunk(exchange, left < HIL_CHUNK_MAX ? left : HIL_CHUNK_MAX, total);
}

/* Why a message does not belong into an exchange: HIL_REJECT_*, or 0 for a sound reply. */
static uint8_t refusal(const hil_message_t *message, hil_reply_t *reply) {
    if (message->version != HIL_PROTOCOL_VERSION) {
        return HIL_REJECT_VERSION;
    }
    if (message->kind != HIL_FRAME_REPLY) {
        const bool known = message->kind >= HIL_FRAME_HELLO && message->kind <= HIL_FRAME_CHECK;
        return known ? HIL_REJECT_VALUE : HIL_REJECT_UNKNOWN_TYPE;
    }
    if (!hil_reply_unpack(message->body, reply)) {
        return HIL_REJECT_LENGTH;
    }
    const bool sound = reply->status == HIL_REPLY_UNAVAILABLE ||
                       (reply->status == HIL_REPLY_OK && reply->count == hil_model.classes);
    return sound ? 0U : HIL_REJECT_VALUE;
}

static void end(hil_exchange_t *exchange, uint8_t reason, uint32_t at) {
    exchange->over = true;
    exchange->reason = reason;
    exchange->ended = at;
}

/* Whether a sound reply that came in time is the one that is waited for. One that is not authentic
 * ends nothing: else whoever forges it could force a fallback. */
static bool is_awaited(hil_exchange_t *exchange, const hil_reply_t *reply) {
    if (hil_session_nonce_source() == HIL_NONCE_SOURCE_NONE) {
        return reply->sample == exchange->sample;
    }
    const uint32_t begun = hil_cycles();
    const uint32_t answered = reply->part == 0 ? exchange->total : hil_get32(reply->part);
    const bool was_asked = reply->part == 0 ? exchange->total != 0U : answered <= exchange->sent;
    const hil_bytes_t payload = {hil_model_buffers.payload, answered};
    const bool authentic = reply->sample == exchange->sample && was_asked &&
                           hil_session_owns(exchange->counter, payload, reply);
    exchange->verify_cycles += hil_cycles() - begun;
    exchange->unauthentic += !authentic;
    return authentic;
}

/* What a reply's tag begins with needs no reply: the wait is long enough for it. */
static void prepare_to_verify(hil_exchange_t *exchange) {
    if (hil_session_nonce_source() != HIL_NONCE_SOURCE_NONE) {
        const uint32_t begun = hil_cycles();
        hil_session_ask(exchange->counter, exchange->sample,
                        (hil_bytes_t){hil_model_buffers.payload, exchange->total});
        exchange->verify_cycles += hil_cycles() - begun;
    }
}

/* Takes the waiting message, which may end the exchange. */
static void take(hil_exchange_t *exchange) {
    const hil_message_t *const message = hil_transport_peek();
    if (message == 0) {
        return;
    }
    if (message->kind == HIL_FRAME_HELLO) {
        exchange->abandoned = exchange->over = true; /* the main loop answers it */
        return;
    }
    hil_reply_t reply;
    const uint8_t refused = refusal(message, &reply);
    if (refused != 0U) {
        exchange->refused = message->kind;
        exchange->refusal = refused;
    } else if (message->arrival - exchange->begun <= exchange->deadline &&
               is_awaited(exchange, &reply)) {
        const bool available = reply.status == HIL_REPLY_OK;
        end(exchange, available ? HIL_FALLBACK_NONE : HIL_FALLBACK_SERVER_UNAVAILABLE,
            message->arrival);
        for (uint32_t i = 0; available && i < hil_model.classes; i++) {
            hil_model_buffers.reply[i] = hil_reply_logit(&reply, i);
        }
    }
    hil_transport_drop();
}

/* Looks at wire and clock, once something was sent. Returns the cycles left until the deadline. */
static uint32_t look(hil_exchange_t *exchange, hil_sending_t *sending) {
    *sending = hil_transport_poll();
    take(exchange);
    const uint32_t elapsed = hil_cycles() - exchange->begun;
    if (exchange->over) {
        return 0;
    }
    if (elapsed >= exchange->deadline) {
        const bool forged = exchange->unauthentic != 0U;
        end(exchange, forged ? HIL_FALLBACK_UNAUTHENTIC : HIL_FALLBACK_DEADLINE,
            exchange->begun + exchange->deadline);
        return 0;
    }
    if (*sending == HIL_SENDING_GAVE_UP) {
        end(exchange, HIL_FALLBACK_LINK_DOWN, exchange->begun + elapsed);
    }
    hil_upkeep();
    return exchange->deadline - elapsed;
}

void hil_exchange_start(hil_exchange_t *exchange, uint32_t sample, uint32_t deadline_us) {
    *exchange = (hil_exchange_t){
        .sample = sample,
        .deadline = deadline_us * (hil_clock_hz() / 1000000U),
        .counter = hil_session_count(),
    };
}

void hil_exchange_early(hil_exchange_t *exchange, uint32_t settled, uint32_t early_bytes) {
    /* One byte is kept back: the last frame, which says how many there are, must not be empty. */
    if (exchange->over || settled <= exchange->sent + early_bytes) {
        return;
    }
    const uint32_t entered = hil_cycles();
    hil_sending_t sending = HIL_SENDING_IDLE;
    if (exchange->sending) {
        (void)look(exchange, &sending);
    }
    if (!exchange->over && sending == HIL_SENDING_IDLE) {
        const uint32_t ready = settled - exchange->sent - 1U;
        const uint32_t count = ready < HIL_CHUNK_MAX ? ready : HIL_CHUNK_MAX;
        send_chunk(exchange, count - count % early_bytes, 0);
    }
    exchange->early_cycles += hil_cycles() - entered;
}

void hil_exchange_finish(hil_exchange_t *exchange, uint32_t total) {
    const uint32_t tick = hil_clock_hz() / 1000U;
    bool prepared = false;
    exchange->total = total;
    if (!exchange->sending) {
        send_rest(exchange, total);
    }
    while (!exchange->over) {
        hil_sending_t sending;
        const uint32_t left = look(exchange, &sending);
        if (exchange->over) {
            break;
        }
        if (sending == HIL_SENDING_IDLE && exchange->sent < total) {
            send_rest(exchange, total);
        } else if (exchange->sent == total && !prepared) {
            prepare_to_verify(exchange);
            prepared = true;
        } else if (left > tick) {
            hil_sleep(); /* the next tick comes before the deadline; the rest is spent awake */
        }
    }
    hil_transport_cancel();
}
