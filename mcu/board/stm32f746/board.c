#include "board.h"

#include "hil_wire.h"

void hil_board_start(void) {
    hil_reset_start();
    hil_fault_start();
    hil_clock_start();
    hil_cycles_start();
    hil_tick_start();
    hil_led_start();
    hil_uart_start(HIL_BOOT_BAUD);
    hil_watchdog_start();
    hil_integrity_start();
}
