#include "protocol.h"

#include <string.h>

#include "board.h"
#include "coverage.h"
#include "crc32.h"
#include "hil_model.h"
#include "inference.h"
#include "messages.h"
#include "send.h"
#include "session.h"
#include "transport.h"
#include "upkeep.h"

#define FINE 0U /* no HIL_REJECT_* */

static struct {
    hil_configure_t configure; /* deadline_us 0: not configured */
    uint32_t sample;           /* whose input is being uploaded */
    uint32_t spans;            /* that have arrived of it */
    uint32_t input_crc;        /* once all of it has */
    hil_run_t run;
    uint32_t check_start;
} session;

static uint8_t take_hello(hil_bytes_t body) {
    uint16_t version;
    if (!hil_hello_unpack(body, &version)) {
        return HIL_REJECT_LENGTH;
    }
    if (version != HIL_PROTOCOL_VERSION) {
        return HIL_REJECT_VERSION;
    }
    session.configure.deadline_us = 0;
    session.spans = 0;
    hil_session_greet();
    (void)hil_transport_counters();
    return FINE;
}

static uint8_t take_configure(hil_bytes_t body) {
    hil_configure_t configure;
    if (!hil_configure_unpack(body, &configure)) {
        return HIL_REJECT_LENGTH;
    }
    if (configure.deadline_us == 0U || configure.deadline_us > HIL_DEADLINE_MAX_MS * 1000U ||
        configure.early_bytes > HIL_CHUNK_MAX || !hil_uart_can(configure.baud)) {
        return HIL_REJECT_VALUE;
    }
    hil_session_begin(configure.server_nonce);
    configure.server_nonce = 0; /* its message is dropped */
    session.configure = configure;
    return FINE;
}

static uint8_t take_input(hil_bytes_t body) {
    hil_chunk_t chunk;
    if (!hil_chunk_unpack(body, &chunk)) {
        return HIL_REJECT_LENGTH;
    }
    if (session.configure.deadline_us == 0U) {
        return HIL_REJECT_NOT_CONFIGURED;
    }
    if (chunk.total != hil_model.input_bytes || chunk.data.count > chunk.total ||
        chunk.offset > chunk.total - chunk.data.count) {
        return HIL_REJECT_INPUT_RANGE;
    }
    if (chunk.sample != session.sample) {
        session.sample = chunk.sample;
        session.spans = 0;
    }
    if (!hil_coverage_add(&hil_model.coverage, &session.spans, chunk.offset,
                          chunk.offset + chunk.data.count)) {
        return HIL_REJECT_INPUT_RANGE;
    }
    memcpy(hil_model_buffers.input + chunk.offset, chunk.data.at, chunk.data.count);
    if (hil_coverage_complete(&hil_model.coverage, session.spans, hil_model.input_bytes)) {
        const uint8_t *const input = (const uint8_t *)hil_model_buffers.input;
        session.input_crc = hil_crc32(0, input, hil_model.input_bytes);
    }
    return FINE;
}

static uint8_t take_run(hil_bytes_t body) {
    if (!hil_run_unpack(body, &session.run)) {
        return HIL_REJECT_LENGTH;
    }
    if (session.configure.deadline_us == 0U) {
        return HIL_REJECT_NOT_CONFIGURED;
    }
    if (hil_integrity()->integrity != HIL_INTEGRITY_SOUND) {
        return HIL_REJECT_DAMAGED;
    }
    if (session.run.sample != session.sample ||
        !hil_coverage_complete(&hil_model.coverage, session.spans, hil_model.input_bytes)) {
        return HIL_REJECT_INPUT_INCOMPLETE;
    }
    session.spans = 0; /* the graph reuses the input's memory */
    return FINE;
}

static uint8_t take(const hil_message_t *message) {
    hil_reply_t reply;
    if (message->version != HIL_PROTOCOL_VERSION) {
        return HIL_REJECT_VERSION;
    }
    switch (message->kind) {
    case HIL_FRAME_HELLO:
        return take_hello(message->body);
    case HIL_FRAME_CONFIGURE:
        return take_configure(message->body);
    case HIL_FRAME_INPUT:
        return take_input(message->body);
    case HIL_FRAME_RUN:
        return take_run(message->body);
    case HIL_FRAME_REPLY: /* too late to be of use */
        return hil_reply_unpack(message->body, &reply) ? FINE : (uint8_t)HIL_REJECT_LENGTH;
    case HIL_FRAME_CHECK:
        session.check_start = 0;
        return hil_check_unpack(message->body, &session.check_start) ? FINE
                                                                     : (uint8_t)HIL_REJECT_LENGTH;
    default:
        return HIL_REJECT_UNKNOWN_TYPE;
    }
}

static void send_capability(void) {
    uint8_t *const body = hil_transport_body();
    const hil_capability_t capability = {
        .firmware_version = {HIL_VERSION_MAJOR, HIL_VERSION_MINOR, HIL_VERSION_PATCH},
        .reset_cause = hil_reset_cause(),
        .clock_hz = hil_clock_hz(),
        .baud_max = hil_uart_baud_max(),
        .arena_bytes = hil_model.arena_bytes,
        .input_bytes = hil_model.input_bytes,
        .payload_capacity = hil_model.payload_capacity,
        .classes = hil_model.classes,
        .layers = hil_model.layers,
        .bundle_hash = hil_model.bundle_hash,
        .check = *hil_integrity(),
        .nonce_source = hil_session_nonce_source(),
        .nonce = hil_session_nonce(),
    };
    (void)hil_send(HIL_FRAME_CAPABILITY,
                   (hil_bytes_t){body, hil_capability_pack(&capability, body)});
}

static void send_checked(void) {
    hil_watchdog_kick(); /* the check gets the whole period */
    const hil_checked_t checked = hil_integrity_check(session.check_start);
    uint8_t *const body = hil_transport_body();
    (void)hil_send(HIL_FRAME_CHECKED, (hil_bytes_t){body, hil_checked_pack(&checked, body)});
}

static void send_reject(uint8_t kind, uint8_t reason) {
    const uint8_t body[HIL_REJECT_LAYOUT_BYTES] = {kind, reason};
    (void)hil_send(HIL_FRAME_REJECT, (hil_bytes_t){body, sizeof body});
}

static void send_started(void) {
    const uint8_t body[HIL_STARTED_LAYOUT_BYTES] = {hil_reset_cause()};
    const hil_bytes_t nothing = {0, 0};
    (void)hil_transport_begin(HIL_FRAME_STARTED, (hil_bytes_t){body, sizeof body}, nothing);
}

/* Once at the rate that the host was last told to listen at. Then, until it answers or the tries
 * are over, at this one, which it greets at. */
void hil_protocol_start(void) {
    const uint32_t now = hil_uart_baud(), before = hil_uart_baud_before();
    if (before != now) {
        hil_uart_change(before);
        send_started();
        hil_uart_change(now);
    }
    send_started();
}

void hil_protocol_handle(void) {
    const hil_message_t *const message = hil_transport_peek();
    const uint8_t kind = message->kind, reason = take(message);
    hil_transport_drop(); /* from here on the next message may come in */
    if (reason != FINE) {
        send_reject(kind, reason);
    } else if (kind == HIL_FRAME_HELLO) {
        send_capability();
    } else if (kind == HIL_FRAME_CONFIGURE) {
        hil_upkeep_change_baud(session.configure.baud);
    } else if (kind == HIL_FRAME_RUN) {
        hil_infer(&session.run, &session.configure, session.input_crc);
    } else if (kind == HIL_FRAME_CHECK) {
        send_checked();
    }
}
