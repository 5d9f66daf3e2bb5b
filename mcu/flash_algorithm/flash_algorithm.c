/*
 * Erases and programs the flash of an STM32F746 from RAM (RM0385 chapter 3). The code runs wherever
 * it is loaded and has no variables: all it keeps is in the flash controller's registers.
 */
#include "flash_algorithm.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define IWDG_KR    REGISTER(0x40003000u)
#define FLASH_KEYR REGISTER(0x40023C04u)
#define FLASH_SR   REGISTER(0x40023C0Cu)
#define FLASH_CR   REGISTER(0x40023C10u)

#define IWDG_KR_RELOAD 0xAAAAu
#define FLASH_KEY1     0x45670123u
#define FLASH_KEY2     0xCDEF89ABu

#define FLASH_SR_EOP    (1u << 0)
#define FLASH_SR_ERRORS 0xF2u /* OPERR, WRPERR, PGAERR, PGPERR, ERSERR */
#define FLASH_SR_BSY    (1u << 16)

#define FLASH_CR_PG        (1u << 0)
#define FLASH_CR_SER       (1u << 1)
#define FLASH_CR_MER       (1u << 2)
#define FLASH_CR_SNB_SHIFT 3
#define FLASH_CR_PSIZE_X32 (2u << 8) /* needs 2.7 V to 3.6 V (RM0385 3.3.5) */
#define FLASH_CR_STRT      (1u << 16)
#define FLASH_CR_LOCK      (1u << 31)

#define FLASH_BASE  0x08000000u
#define FLASH_BYTES 0x00100000u
#define ERASED      0xFFFFFFFFu

/* The controller sees a store only when it has left the core: FLASH_SR must not be read before. */
static inline void barrier(void) {
    __asm volatile("dsb" ::: "memory");
}

/* Firmware may have started the watchdog, which nothing but a reset stops: an erase outlasts it. */
static void wait(void) {
    barrier();
    do {
        IWDG_KR = IWDG_KR_RELOAD;
    } while (FLASH_SR & FLASH_SR_BSY);
}

static int in_flash(uint32_t address, uint32_t size) {
    const uint32_t offset = address - FLASH_BASE;
    return offset < FLASH_BYTES && size <= FLASH_BYTES - offset;
}

/* The end of an operation: the control bits off, the outcome as a result. */
static int finish(void) {
    wait();
    FLASH_CR = FLASH_CR_PSIZE_X32;
    return (FLASH_SR & FLASH_SR_ERRORS) != 0;
}

static void begin(uint32_t control) {
    wait();
    FLASH_SR = FLASH_SR_ERRORS | FLASH_SR_EOP; /* cleared by ones */
    FLASH_CR = FLASH_CR_PSIZE_X32 | control;
}

static uint32_t word_of(const uint8_t *bytes, uint32_t count) {
    uint32_t word = ERASED;
    for (uint32_t i = 0; i < count; i++) {
        word = (word & ~(0xFFu << (8 * i))) | (uint32_t)bytes[i] << (8 * i);
    }
    return word;
}

/* 4 sectors of 32 KB, one of 128 KB, 3 of 256 KB. */
static uint32_t sector_of(uint32_t address) {
    const uint32_t offset = address - FLASH_BASE;
    return offset < 0x20000u ? offset >> 15 : 4u + (offset >> 18);
}

int Init(uint32_t address, uint32_t clock_hz, uint32_t function) {
    (void)address;
    (void)clock_hz;
    (void)function;
    wait();
    if (FLASH_CR & FLASH_CR_LOCK) {
        FLASH_KEYR = FLASH_KEY1;
        FLASH_KEYR = FLASH_KEY2;
        barrier();
    }
    FLASH_SR = FLASH_SR_ERRORS | FLASH_SR_EOP;
    return (FLASH_CR & FLASH_CR_LOCK) != 0;
}

int UnInit(uint32_t function) {
    (void)function;
    wait();
    FLASH_CR = FLASH_CR_LOCK;
    return 0;
}

int EraseChip(void) {
    begin(FLASH_CR_MER);
    FLASH_CR = FLASH_CR_PSIZE_X32 | FLASH_CR_MER | FLASH_CR_STRT;
    return finish();
}

int EraseSector(uint32_t address) {
    if (!in_flash(address, 1)) {
        return 1;
    }
    const uint32_t control = FLASH_CR_SER | sector_of(address) << FLASH_CR_SNB_SHIFT;
    begin(control);
    FLASH_CR = FLASH_CR_PSIZE_X32 | control | FLASH_CR_STRT;
    return finish();
}

/* A word at a time; what is missing in the last one stays erased. */
int ProgramPage(uint32_t address, uint32_t size, const uint8_t *buffer) {
    if (address % 4u || !in_flash(address, size)) {
        return 1;
    }
    begin(FLASH_CR_PG);
    for (uint32_t at = 0; at < size && !(FLASH_SR & FLASH_SR_ERRORS); at += 4) {
        const uint32_t left = size - at;
        const uint32_t word = word_of(buffer + at, left < 4 ? left : 4);
        if (word != ERASED) { /* programming ones changes nothing and takes as long */
            REGISTER(address + at) = word;
            wait();
        }
    }
    return finish();
}

uint32_t Verify(uint32_t address, uint32_t size, const uint8_t *buffer) {
    uint32_t at = 0;
    while (at < size && ((const volatile uint8_t *)address)[at] == buffer[at]) {
        at++;
    }
    return address + at;
}
