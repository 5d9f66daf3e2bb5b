#include "board.h"
#include "protocol.h"
#include "transport.h"
#include "upkeep.h"

/* After so long without a message the next one is far away. */
#define QUIET_MS 100U

int main(void) {
    hil_board_start();
    hil_protocol_start();
    uint32_t busy_ms = hil_tick_ms();
    for (;;) {
        if (hil_transport_peek() == 0) {
            (void)hil_transport_poll();
        }
        hil_upkeep();
        if (hil_transport_peek() != 0) {
            hil_protocol_handle();
            busy_ms = hil_tick_ms();
        } else if (hil_tick_ms() - busy_ms > QUIET_MS && hil_upkeep_settled()) {
            hil_sleep_long();
        } else {
            hil_sleep();
        }
    }
}
