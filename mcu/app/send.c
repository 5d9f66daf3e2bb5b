#include "send.h"

#include "board.h"
#include "transport.h"
#include "upkeep.h"

bool hil_send(uint8_t kind, hil_bytes_t body) {
    const hil_bytes_t nothing = {0, 0};
    if (!hil_transport_begin(kind, body, nothing)) {
        return false;
    }
    for (;;) {
        const hil_sending_t sending = hil_transport_poll();
        if (sending != HIL_SENDING_WAITING) {
            return sending == HIL_SENDING_IDLE;
        }
        hil_upkeep();
        hil_sleep();
    }
}
