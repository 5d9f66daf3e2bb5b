#include "board.h"

#include "stm32f7xx.h"

/*
 * IWDG counts the LSI oscillator, 32 kHz nominal, 17 to 47 kHz over parts and temperature:
 *   4096 counts * 32 / 32 kHz = 4.1 s (2.8 to 7.7 s)
 * A slow core clock stretches the graph, which nothing interrupts, so it gets twice the time.
 */
#define PRESCALER (HIL_CLOCK_HZ < 120000000U ? 4U : 3U) /* IWDG_PR_PR: divides by 4 << PR */

void hil_watchdog_start(void) {
    DBGMCU->APB1FZ |= DBGMCU_APB1_FZ_DBG_IWDG_STOP; /* a halted core is not a hanging one */
    IWDG->KR = 0xCCCC;
    IWDG->KR = 0x5555;
    IWDG->PR = PRESCALER;
    IWDG->RLR = 0xFFF;
    IWDG->KR = 0xAAAA;
}

void hil_watchdog_kick(void) {
    IWDG->KR = 0xAAAA;
}
