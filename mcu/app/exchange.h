/* One payload out, one reply in, against a deadline. The first bytes may leave while the rest is
 * still computed: start, early as often as bytes settle, finish. */
#ifndef HIL_EXCHANGE_H
#define HIL_EXCHANGE_H

#include <stdbool.h>

#include "bytes.h"
#include "hil_wire.h"

typedef struct {
    bool abandoned;           /* a HELLO began a new conversation: nobody waits for the answer */
    uint8_t reason;           /* HIL_FALLBACK_*; NONE: hil_model_buffers.reply holds it */
    uint8_t refused, refusal; /* type of a message that did not belong here, HIL_REJECT_* or 0 */
    bool sending;             /* the first frame has gone to the UART */
    bool over;                /* there is a reason, or it is abandoned */
    uint32_t sample;
    uint32_t deadline;     /* cycles after `begun` */
    uint32_t sent;         /* bytes of the payload that have become frames */
    uint32_t total;        /* of the payload; 0 while it is still made */
    uint32_t begun;        /* hil_cycles() when the first frame went to the UART */
    uint32_t ended;        /* ... when the reply had arrived, or the deadline passed */
    uint32_t early_cycles; /* spent in hil_exchange_early */
    uint32_t counter;      /* of the session; what a reply has to belong to */
    uint32_t verify_cycles;
    uint32_t unauthentic; /* replies that were ignored */
} hil_exchange_t;

void hil_exchange_start(hil_exchange_t *exchange, uint32_t sample, uint32_t deadline_us);

/* The first `settled` bytes at hil_model_buffers.payload will not change any more. Sends, if the
 * frame before has arrived, what of them makes multiples of `early_bytes`. */
void hil_exchange_early(hil_exchange_t *exchange, uint32_t settled, uint32_t early_bytes);

/* Sends what is left of the payload's `total` bytes, and waits. */
void hil_exchange_finish(hil_exchange_t *exchange, uint32_t total);

#endif
