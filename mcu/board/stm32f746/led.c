#include "board.h"

#include "board_config.h"
#include "stm32f7xx.h"

#define PERIOD_MS 2000U
#define FLASH_MS  200U /* half of it lit */

void hil_led_start(void) {
    RCC->AHB1ENR |= HIL_LED_GPIO_ENABLE;
    (void)RCC->AHB1ENR;
    HIL_LED_PORT->MODER =
        (HIL_LED_PORT->MODER & ~(3U << (HIL_LED_PIN * 2U))) | (1U << (HIL_LED_PIN * 2U));
}

static bool shown;

void hil_led_update(void) {
    const uint32_t phase = hil_tick_ms() % PERIOD_MS;
    const bool lit = phase / FLASH_MS <= hil_fault_code() && phase % FLASH_MS < FLASH_MS / 2U;
    if (lit == shown) {
        return;
    }
    shown = lit;
    HIL_LED_PORT->BSRR = lit ? 1U << HIL_LED_PIN : 1U << (HIL_LED_PIN + 16U);
}
