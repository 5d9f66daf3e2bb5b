#include "board.h"

#include "stm32f7xx.h"

void hil_cycles_start(void) {
    CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk;
    DWT->LAR = 0xC5ACCE55; /* locked after reset on this part unless a debugger is attached */
    DWT->CYCCNT = 0;
    DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;
    /* Keeps the core clock, and so CYCCNT, running in WFI: the wait for a reply can be timed. It
     * costs about what the clock tree draws, some mA at 216 MHz, compared with plain sleep. */
    DBGMCU->CR |= DBGMCU_CR_DBG_SLEEP;
}

uint32_t hil_cycles(void) {
    return DWT->CYCCNT;
}
