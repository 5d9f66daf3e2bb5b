#include "stm32f7xx.h"

extern uint32_t __hil_data_start[], __hil_data_end[], __hil_data_load[];
extern uint32_t __hil_itcm_start[], __hil_itcm_end[], __hil_itcm_load[];
extern uint32_t __hil_bss_start[], __hil_bss_end[];
extern uint32_t __hil_fast_start[], __hil_fast_end[];

int main(void);
void hil_startup(void);

static void copy(uint32_t *begin, const uint32_t *end, const uint32_t *from) {
    while (begin < end) {
        *begin++ = *from++;
    }
}

static void zero(uint32_t *begin, const uint32_t *end) {
    while (begin < end) {
        *begin++ = 0;
    }
}

__attribute__((noreturn)) void hil_startup(void) {
    /* CP10 and CP11 on before any code that might hold a float in a register. */
    SCB->CPACR |= (0xFU << 20);
    __DSB();
    __ISB();
    copy(__hil_data_start, __hil_data_end, __hil_data_load);
    copy(__hil_itcm_start, __hil_itcm_end, __hil_itcm_load);
    zero(__hil_bss_start, __hil_bss_end);
    zero(__hil_fast_start, __hil_fast_end);
    __DSB(); /* code that was copied is there before it is fetched */
    SCB_EnableICache();
    SCB_EnableDCache();
    (void)main();
    for (;;) {
    }
}

/* In assembler because it paints the stack it would otherwise stand on. A debugger may start here
 * without a reset, so the stack pointer is set again. */
__attribute__((naked, noreturn)) void Reset_Handler(void) {
    __asm volatile("ldr r0, =__hil_stack_end  \n"
                   "msr msp, r0               \n"
                   "ldr r1, =__hil_stack_start\n"
                   "ldr r2, =0xC5C5C5C5       \n"
                   "1: str r2, [r1], #4       \n"
                   "cmp r1, r0                \n"
                   "blo 1b                    \n"
                   "b hil_startup             \n");
}
