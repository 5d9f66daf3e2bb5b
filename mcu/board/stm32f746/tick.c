#include "board.h"

#include "stm32f7xx.h"
#include "uart.h"

/* So long a sleep is at most, and so are its ends: multiples of it, which the LED changes at. 24
 * bits hold 77 ms at 216 MHz; the watchdog bites after 2.8 s at the soonest. */
#define LONG_MS 50U
/* A counter that has less left than this would wrap while it is set. */
#define MARGIN_CYCLES 256U

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

/* The next wrap is `cycles` from now; the counter is stopped. */
static void count_down(uint32_t cycles) {
    SysTick->LOAD = cycles - 1U;
    SysTick->VAL = 0; /* any write clears it, and the next clock loads it */
    SysTick->CTRL |= SysTick_CTRL_ENABLE_Msk;
}

/* Goes on with a tick each millisecond, the first of them `cycles` from now. */
static void resume(uint32_t cycles) {
    if (cycles < MARGIN_CYCLES) {
        milliseconds++;
        cycles += hil_clock_hz() / 1000U;
    }
    count_down(cycles);
    for (uint32_t i = 0; SysTick->VAL == 0U && i < 16U; i++) {
    }
    SysTick->LOAD = hil_clock_hz() / 1000U - 1U; /* from the next wrap on */
}

void hil_sleep_long(void) {
    const uint32_t tick = hil_clock_hz() / 1000U;
    const uint32_t steps = LONG_MS - milliseconds % LONG_MS;
    __disable_irq();
    const uint32_t left = SysTick->VAL;
    if (steps < 2U || left < MARGIN_CYCLES || (SCB->ICSR & SCB_ICSR_PENDSTSET_Msk)) {
        __enable_irq();
        hil_sleep();
        return;
    }
    const uint32_t cycles = left + (steps - 1U) * tick;
    SysTick->CTRL &= ~SysTick_CTRL_ENABLE_Msk;
    count_down(cycles);
    if (!hil_uart_has_news()) {
        __DSB();
        __WFI();
    }
    SysTick->CTRL &= ~SysTick_CTRL_ENABLE_Msk;
    if (SCB->ICSR & SCB_ICSR_PENDSTSET_Msk) {
        /* All of it passed; the handler that waits counts the last millisecond. */
        milliseconds += steps - 1U;
        resume(tick - (cycles - SysTick->VAL) % cycles % tick);
    } else {
        const uint32_t passed = tick - left + (cycles - SysTick->VAL) % cycles;
        milliseconds += passed / tick;
        resume(tick - passed % tick);
    }
    __enable_irq();
    __ISB();
}
