#include "board.h"
#include "stm32f7xx.h"

#define UNIQUE_ID ((const volatile uint32_t *)0x1FF0F420U) /* RM0385 41.1 */
#define TROUBLE   (RNG_SR_CECS | RNG_SR_SECS | RNG_SR_CEIS | RNG_SR_SEIS)

/* A number takes 40 clocks of at most 48 MHz (RM0385 20.3): some hundred cycles of the core. */
#define PATIENCE_CYCLES 20000U

static bool next(uint32_t *word) {
    const uint32_t begun = hil_cycles();
    while ((RNG->SR & RNG_SR_DRDY) == 0U) {
        if ((RNG->SR & TROUBLE) != 0U || hil_cycles() - begun > PATIENCE_CYCLES) {
            return false;
        }
    }
    *word = RNG->DR;
    return true;
}

bool hil_random(uint32_t *words, uint32_t count) {
    RCC->AHB2ENR |= RCC_AHB2ENR_RNGEN;
    (void)RCC->AHB2ENR; /* two bus cycles until the peripheral answers */
    RNG->CR = RNG_CR_RNGEN;
    /* The first number is not used, and none that equals the one before (RM0385 20.3.1). */
    uint32_t former = 0;
    bool sound = next(&former);
    for (uint32_t i = 0; i < count && sound; i++) {
        sound = next(&words[i]) && words[i] != former;
        former = words[i];
    }
    RNG->CR = 0;
    RCC->AHB2ENR &= ~RCC_AHB2ENR_RNGEN;
    return sound;
}

void hil_unique_id(uint32_t words[3]) {
    for (uint32_t i = 0; i < 3U; i++) {
        words[i] = UNIQUE_ID[i];
    }
}
