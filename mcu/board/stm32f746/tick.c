#include "board.h"

#include "stm32f7xx.h"
#include "uart.h"

static volatile uint32_t milliseconds;

void SysTick_Handler(void) {
    milliseconds++;
    hil_uart_notice();
}

void hil_tick_start(void) {
    (void)SysTick_Config(hil_clock_hz() / 1000U);
}

uint32_t hil_tick_ms(void) {
    return milliseconds;
}
