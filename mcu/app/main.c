#include "board.h"
#include "protocol.h"
#include "transport.h"
#include "upkeep.h"

int main(void) {
    hil_board_start();
    for (;;) {
        if (hil_transport_peek() == 0) {
            (void)hil_transport_poll();
        }
        hil_upkeep();
        if (hil_transport_peek() != 0) {
            hil_protocol_handle();
        } else {
            hil_sleep();
        }
    }
}
