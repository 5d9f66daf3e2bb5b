/* One payload out, one reply in, against a deadline. */
#ifndef HIL_EXCHANGE_H
#define HIL_EXCHANGE_H

#include <stdbool.h>

#include "bytes.h"
#include "hil_wire.h"

typedef struct {
    bool abandoned;           /* a HELLO began a new conversation: nobody waits for the answer */
    uint8_t reason;           /* HIL_FALLBACK_*; NONE: hil_model_buffers.reply holds it */
    uint8_t refused, refusal; /* type of a message that did not belong here, HIL_REJECT_* or 0 */
    uint32_t begun;           /* hil_cycles() when the first frame went to the UART */
    uint32_t ended;           /* ... when the reply had arrived, or the deadline passed */
} hil_exchange_t;

void hil_exchange(uint32_t sample, hil_bytes_t payload, uint32_t deadline_us,
                  hil_exchange_t *exchange);

#endif
