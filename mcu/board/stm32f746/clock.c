#include "board.h"

#include "board_config.h"
#include "stm32f7xx.h"

/*
 * f(VCO) = f(source) / PLLM * PLLN, f(core) = f(VCO) / PLLP, with PLLM = the source in MHz, so
 * that the PLL compares at 1 MHz, and PLLP = 2:
 *   25 MHz / 25 * 432 / 2 = 216 MHz      16 MHz / 16 * 432 / 2 = 216 MHz
 * f(VCO) has to stay in 100..432 MHz, hence 50 MHz at least; 60 is what the project tests.
 *
 * Flash wait states at 2.7..3.6 V, one for every 30 MHz begun (RM0385 table 7):
 *   MHz   ..30  ..60  ..90  ..120  ..150  ..180  ..210  ..216
 *   WS       0     1     2      3      4      5      6      7
 *
 * Regulator scale 3 to 144 MHz, 2 to 168, 1 to 180 and, in over-drive, to 216. The buses allow
 * APB1 54 MHz and APB2 108 MHz in over-drive, 45 and 90 without.
 */
_Static_assert(HIL_CLOCK_HZ % 1000000U == 0U, "HIL_CLOCK_HZ must be whole MHz");
_Static_assert(HIL_CLOCK_HZ >= 60000000U && HIL_CLOCK_HZ <= 216000000U, "60..216 MHz");
_Static_assert(HIL_HSE_HZ % 1000000U == 0U, "the crystal must be whole MHz");

#define CORE_MHZ    (HIL_CLOCK_HZ / 1000000U)
#define HSI_HZ      16000000U
#define OVER_DRIVE  (CORE_MHZ > 180U)
#define WAIT_STATES ((CORE_MHZ - 1U) / 30U)
#define SCALE       (CORE_MHZ > 168U ? 3U : CORE_MHZ > 144U ? 2U : 1U) /* PWR_CR1_VOS, 3 = scale 1 */
#define APB1_MHZ    (OVER_DRIVE ? 54U : 45U)
#define APB2_MHZ    (OVER_DRIVE ? 108U : 90U)

/* Far longer than a crystal (some ms) or a PLL (0.3 ms) takes, counted at 16 MHz. */
#define PATIENCE 100000U

static uint32_t core_hz = HSI_HZ;

static bool reached(volatile const uint32_t *reg, uint32_t mask, uint32_t value) {
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if ((*reg & mask) == value) {
            return true;
        }
    }
    return false;
}

/* RCC_CFGR_PPREx: 0 divides by 1, 4..7 by 2..16. */
static uint32_t bus_divider(uint32_t limit_mhz) {
    uint32_t shift = 0;
    while (CORE_MHZ > limit_mhz << shift) {
        shift++;
    }
    return shift == 0 ? 0U : 3U + shift;
}

static bool start_crystal(void) {
    RCC->CR |= HIL_HSE_BYPASS ? RCC_CR_HSEBYP : 0U;
    RCC->CR |= RCC_CR_HSEON;
    if (reached(&RCC->CR, RCC_CR_HSERDY, RCC_CR_HSERDY)) {
        return true;
    }
    RCC->CR &= ~(RCC_CR_HSEON | RCC_CR_HSEBYP);
    return false;
}

static bool start_pll(bool crystal) {
    const uint32_t source_mhz = (crystal ? HIL_HSE_HZ : HSI_HZ) / 1000000U;
    RCC->APB1ENR |= RCC_APB1ENR_PWREN;
    (void)RCC->APB1ENR; /* two bus cycles until the peripheral answers */
    PWR->CR1 = (PWR->CR1 & ~PWR_CR1_VOS) | (SCALE << PWR_CR1_VOS_Pos);
    RCC->PLLCFGR = (source_mhz << RCC_PLLCFGR_PLLM_Pos) | (2U * CORE_MHZ << RCC_PLLCFGR_PLLN_Pos) |
                   (crystal ? RCC_PLLCFGR_PLLSRC_HSE : RCC_PLLCFGR_PLLSRC_HSI) |
                   (9U << RCC_PLLCFGR_PLLQ_Pos); /* PLLP 0 divides by 2; PLLQ clocks the RNG */
    RCC->CR |= RCC_CR_PLLON;
    if (OVER_DRIVE) {
        PWR->CR1 |= PWR_CR1_ODEN;
        if (!reached(&PWR->CSR1, PWR_CSR1_ODRDY, PWR_CSR1_ODRDY)) {
            return false;
        }
        PWR->CR1 |= PWR_CR1_ODSWEN;
        if (!reached(&PWR->CSR1, PWR_CSR1_ODSWRDY, PWR_CSR1_ODSWRDY)) {
            return false;
        }
    }
    return reached(&RCC->CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY);
}

void hil_clock_start(void) {
    /* The accelerator and its prefetch serve the flash on the ITCM port; code at 0x08000000 comes
     * through AXI and the L1 caches, and is not hurt by them. */
    FLASH->ACR = (WAIT_STATES << FLASH_ACR_LATENCY_Pos) | FLASH_ACR_ARTEN | FLASH_ACR_PRFTEN;
    if (!reached(&FLASH->ACR, FLASH_ACR_LATENCY, WAIT_STATES << FLASH_ACR_LATENCY_Pos) ||
        !start_pll(start_crystal())) {
        return; /* stays on the 16 MHz HSI; hil_clock_hz tells the host */
    }
    RCC->CFGR = (bus_divider(APB1_MHZ) << RCC_CFGR_PPRE1_Pos) |
                (bus_divider(APB2_MHZ) << RCC_CFGR_PPRE2_Pos);
    RCC->CFGR |= RCC_CFGR_SW_PLL;
    if (reached(&RCC->CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL)) {
        core_hz = HIL_CLOCK_HZ;
    }
}

uint32_t hil_clock_hz(void) {
    return core_hz;
}
