#include "transport.h"

#include <string.h>

#include "board.h"
#include "frame.h"

/* A body may be made in the buffer that it is sent from. It lies so far behind the frame's
 * beginning that the encoder, which adds at most a byte in 254, never writes over what it has yet
 * to read. */
#define BODY_AT (HIL_ENCODED_MAX - HIL_BODY_MAX)
_Static_assert(BODY_AT >= 2U + HIL_HEADER_BYTES + (HIL_HEADER_BYTES + HIL_BODY_MAX) / 254U,
               "the encoder overtakes the body");

/* ACK and NAK: header, one body byte, CRC, COBS code and two zeros. */
#define SHORT_MAX (HIL_HEADER_BYTES + 1U + HIL_CRC_BYTES + 3U)

/* What comes in while a message waits to be read is kept as far as this: enough for an
 * acknowledgement, and for a HELLO, which takes the waiting message's place. */
#define ASIDE_MAX 8U

HIL_FAST static uint8_t outstanding[HIL_ENCODED_MAX];
HIL_FAST static uint8_t inbox_body[HIL_BODY_MAX];
static hil_decoder_t decoder;
static uint8_t aside[ASIDE_MAX];

static struct {
    hil_sending_t sending;
    uint32_t outstanding_bytes;
    uint32_t tries;
    uint32_t sent_ms;
    uint32_t wire_ms; /* the outstanding frame's time on the wire, rounded down */
    uint32_t nak_ms;
    uint16_t sequence;
    uint16_t last_delivered;
    bool delivered_any;
    bool inbox_full;
    bool to_aside; /* where the body of the frame that is coming in goes */
    bool nak_sent;
    hil_message_t inbox;
    hil_counters_t counters;
    uint32_t intact, damaged;
} state;

static void send_short(uint8_t kind, uint16_t sequence, hil_bytes_t body) {
    uint8_t encoded[SHORT_MAX];
    const hil_bytes_t nothing = {0, 0};
    hil_uart_write(encoded, hil_frame_encode(kind, sequence, body, nothing, encoded));
}

static void acknowledge(const hil_frame_t *frame) {
    const hil_bytes_t nothing = {0, 0};
    send_short(HIL_FRAME_ACK, frame->sequence, nothing);
}

static void transmit(void) {
    state.wire_ms = state.outstanding_bytes * 10000U / hil_uart_baud(); /* ten bits a byte */
    state.sent_ms = hil_tick_ms();
    state.tries++;
    hil_uart_send(outstanding, state.outstanding_bytes);
}

static void repeat(void) {
    if (state.tries >= HIL_TRIES_MAX) {
        state.sending = HIL_SENDING_GAVE_UP;
        return;
    }
    state.counters.retransmissions += state.counters.retransmissions < UINT16_MAX;
    transmit();
}

static void deliver(const hil_frame_t *frame) {
    const bool was_aside = frame->body.at == aside;
    if (state.inbox_full || (was_aside && frame->body.count > ASIDE_MAX)) {
        return; /* not acknowledged: comes again */
    }
    state.last_delivered = frame->sequence;
    if (was_aside) {
        memcpy(inbox_body, aside, frame->body.count);
    }
    state.inbox = (hil_message_t){
        frame->version, frame->kind, hil_uart_arrival(), {inbox_body, frame->body.count}};
    state.inbox_full = true;
    state.delivered_any = true;
    acknowledge(frame);
}

/* HELLO begins a conversation, whatever version it is of: what went before is forgotten. The first
 * answer has HELLO's number, which is beyond all that went before. */
static void forget(uint16_t sequence) {
    if (state.sending == HIL_SENDING_WAITING) {
        state.sending = HIL_SENDING_ABANDONED;
    }
    state.sequence = (uint16_t)(sequence - 1U);
    state.delivered_any = false;
    state.inbox_full = false;
}

/* Delivered already: one that came again, or so late that others have overtaken it (RFC 1982, 3.2).
 */
static bool is_old(uint16_t sequence) {
    return (uint16_t)(state.last_delivered - sequence) < 0x8000U;
}

static void accept(const hil_frame_t *frame) {
    state.intact++;
    if (frame->kind == HIL_FRAME_ACK || frame->kind == HIL_FRAME_NAK) {
        if (frame->version != HIL_PROTOCOL_VERSION || state.sending != HIL_SENDING_WAITING) {
            return;
        }
        if (frame->kind == HIL_FRAME_NAK) {
            /* While the frame is still leaving, a NAK means an earlier transmission of it. */
            if (hil_tick_ms() - state.sent_ms >= state.wire_ms) {
                repeat();
            }
        } else if (frame->sequence == state.sequence) {
            state.sending = HIL_SENDING_IDLE;
        }
        return;
    }
    if (frame->kind == HIL_FRAME_HELLO) {
        forget(frame->sequence);
    }
    if (state.delivered_any && is_old(frame->sequence)) {
        acknowledge(frame);
    } else {
        deliver(frame);
    }
}

static void refuse(hil_nak_reason_t reason) {
    const uint8_t code = (uint8_t)reason;
    const uint32_t now_ms = hil_tick_ms();
    state.damaged++;
    state.counters.damaged += state.counters.damaged < UINT16_MAX;
    if (state.nak_sent && now_ms - state.nak_ms < HIL_NAK_PAUSE_MS) {
        return;
    }
    state.nak_sent = true;
    state.nak_ms = now_ms;
    send_short(HIL_FRAME_NAK, 0, (hil_bytes_t){&code, 1});
}

hil_sending_t hil_transport_poll(void) {
    const bool was_full = state.inbox_full;
    const hil_sending_t was = state.sending;
    uint8_t byte;
    /* No further than to what the caller waits for: it reads the inbox before the next message. */
    while (state.inbox_full == was_full && state.sending == was && hil_uart_read(&byte, 1) != 0U) {
        hil_decoding_t decoding;
        if (decoder.encoded == 0U) {
            state.to_aside = state.inbox_full;
        }
        const hil_decoded_t decoded =
            state.to_aside ? hil_decoder_put(&decoder, byte, aside, ASIDE_MAX, &decoding)
                           : hil_decoder_put(&decoder, byte, inbox_body, HIL_BODY_MAX, &decoding);
        if (decoded == HIL_DECODED_FRAME) {
            accept(&decoding.frame);
        } else if (decoded == HIL_DECODED_DAMAGE) {
            refuse(decoding.reason);
        }
    }
    if (state.sending == HIL_SENDING_WAITING &&
        hil_tick_ms() - state.sent_ms > state.wire_ms + HIL_RETRANSMIT_MS) {
        repeat();
    }
    return state.sending;
}

const hil_message_t *hil_transport_peek(void) {
    return state.inbox_full ? &state.inbox : 0;
}

void hil_transport_drop(void) {
    state.inbox_full = false;
}

uint8_t *hil_transport_body(void) {
    state.sending = HIL_SENDING_IDLE; /* nothing to repeat */
    hil_uart_await_sent();
    return outstanding + BODY_AT;
}

bool hil_transport_begin(uint8_t kind, hil_bytes_t head, hil_bytes_t tail) {
    hil_uart_await_sent();
    state.sequence++;
    state.outstanding_bytes = hil_frame_encode(kind, state.sequence, head, tail, outstanding);
    if (state.outstanding_bytes == 0U) {
        state.sending = HIL_SENDING_IDLE;
        return false;
    }
    state.sending = HIL_SENDING_WAITING;
    state.tries = 0;
    transmit();
    return true;
}

void hil_transport_cancel(void) {
    state.sending = HIL_SENDING_IDLE;
}

uint32_t hil_transport_intact(void) {
    return state.intact;
}

uint32_t hil_transport_damaged(void) {
    return state.damaged;
}

hil_counters_t hil_transport_counters(void) {
    const hil_counters_t counters = state.counters;
    state.counters = (hil_counters_t){0, 0};
    return counters;
}
