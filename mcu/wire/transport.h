/*
 * Reliable messages over the UART: acknowledge, retransmit, drop duplicates, stop and wait, by the
 * rules of host/hil/wire/transport.py. One frame is outstanding and one message waits to be read;
 * a second one is not acknowledged, so the host repeats it.
 */
#ifndef HIL_TRANSPORT_H
#define HIL_TRANSPORT_H

#include <stdbool.h>

#include "bytes.h"
#include "hil_wire.h"

typedef enum {
    HIL_SENDING_IDLE,      /* nothing outstanding: acknowledged, cancelled or never begun */
    HIL_SENDING_WAITING,   /* for the acknowledgement */
    HIL_SENDING_GAVE_UP,   /* no acknowledgement of HIL_TRIES_MAX transmissions */
    HIL_SENDING_ABANDONED, /* a HELLO began a new conversation meanwhile */
} hil_sending_t;

typedef struct {
    uint8_t version;
    uint8_t kind;
    uint32_t arrival; /* hil_uart_arrival() of its last byte */
    hil_bytes_t body; /* until hil_transport_drop */
} hil_message_t;

/* Since the last hil_transport_counters. */
typedef struct {
    uint16_t retransmissions;
    uint16_t damaged;
} hil_counters_t;

/* Reads what came in, up to one new message, and repeats the outstanding frame when it is due. */
hil_sending_t hil_transport_poll(void);

/* The waiting message, or NULL. */
const hil_message_t *hil_transport_peek(void);
void hil_transport_drop(void);

/* Room for HIL_BODY_MAX bytes: a body made here takes no memory of its own. It may be the `head` of
 * the next hil_transport_begin; a frame still outstanding is forgotten. */
uint8_t *hil_transport_body(void);

/* Sends a body of `head` and `tail`; a frame still outstanding is forgotten. False when the body
 * is too long. */
bool hil_transport_begin(uint8_t kind, hil_bytes_t head, hil_bytes_t tail);
void hil_transport_cancel(void);

/* Intact frames and damaged ones since the start, to judge a new baud rate by. */
uint32_t hil_transport_intact(void);
uint32_t hil_transport_damaged(void);

/* Returns the counters and clears them. */
hil_counters_t hil_transport_counters(void);

#endif
