#include "board.h"

#include "hil_wire.h"
#include "stm32f7xx.h"

static uint8_t cause = HIL_RESET_UNKNOWN;

/* Every reset also pulls NRST low and sets PINRSTF, so the pin is asked last. */
void hil_reset_start(void) {
    const uint32_t csr = RCC->CSR;
    if (csr & (RCC_CSR_IWDGRSTF | RCC_CSR_WWDGRSTF)) {
        cause = HIL_RESET_WATCHDOG;
    } else if (csr & RCC_CSR_SFTRSTF) {
        cause = HIL_RESET_SOFTWARE;
    } else if (csr & (RCC_CSR_PORRSTF | RCC_CSR_BORRSTF)) {
        cause = HIL_RESET_POWER_ON;
    } else if (csr & RCC_CSR_PINRSTF) {
        cause = HIL_RESET_PIN;
    }
    RCC->CSR |= RCC_CSR_RMVF;
}

uint8_t hil_reset_cause(void) {
    return cause;
}
