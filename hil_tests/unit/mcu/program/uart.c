/* The UART, as far as the transport sees it. */
#include "uart.h"

#include <string.h>

#include "board.h"

text_t incoming;
uint32_t now_ms;

void hil_uart_write(const uint8_t *bytes, uint32_t count) {
    say(bytes, count);
}

void hil_uart_send(const uint8_t *bytes, uint32_t count) {
    say(bytes, count);
}

void hil_uart_await_sent(void) {
}

uint32_t hil_uart_read(uint8_t *bytes, uint32_t capacity) {
    const uint32_t count = capacity < incoming.count ? capacity : incoming.count;
    if (count == 0) {
        return 0;
    }
    memcpy(bytes, incoming.bytes, count);
    incoming.bytes += count;
    incoming.count -= count;
    return count;
}

uint32_t hil_uart_baud(void) {
    return 1000000;
}

uint32_t hil_uart_arrival(void) {
    return 0;
}

uint32_t hil_tick_ms(void) {
    return now_ms;
}
