#include "board.h"

#include "fault_frame.h"
#include "hil_wire.h"
#include "stm32f7xx.h"

/* Kept over the reset that ends a fault: the magic number and the exception's number. */
#define MAGIC 0x4641554CU
HIL_KEPT static uint32_t kept_magic, kept_exception;
static uint32_t code;

extern const uint32_t __hil_stack_start[], __hil_stack_end[];

void hil_fault_entry(void);
void hil_fault_report(const uint32_t *stacked);

/* Takes the vector of every exception and interrupt that nothing else handles. The stack may have
 * overflowed, so the report starts on a fresh one. */
__attribute__((naked)) void hil_fault_entry(void) {
    __asm volatile("mrs r0, msp            \n"
                   "ldr r1, =__hil_stack_end\n"
                   "msr msp, r1            \n"
                   "b hil_fault_report     \n");
}

__attribute__((used, noreturn)) void hil_fault_report(const uint32_t *stacked) {
    /* r0-r3, r12, lr, pc, xPSR; an overflown stack holds none of it. */
    const bool readable = stacked >= __hil_stack_start && stacked + 8 <= __hil_stack_end;
    static uint8_t frame[HIL_FAULT_FRAME_BYTES];
    const uint32_t words[] = {readable ? stacked[6] : 0U, readable ? stacked[5] : 0U, SCB->CFSR,
                              SCB->HFSR, SCB->BFAR};
    __disable_irq();
    kept_magic = MAGIC;
    kept_exception = __get_IPSR();
    hil_uart_write_polling(frame, hil_fault_frame(frame, words));
    NVIC_SystemReset();
}

/* Flashes beyond the heartbeat's one: HardFault 1, MemManage 2, BusFault 3, UsageFault 4, any
 * other exception 5. */
void hil_fault_start(void) {
    if (kept_magic == MAGIC && hil_reset_cause() == HIL_RESET_SOFTWARE) {
        code = kept_exception >= 3U && kept_exception <= 6U ? kept_exception - 2U : 5U;
    }
    kept_magic = 0;
    SCB->SHCSR |= SCB_SHCSR_MEMFAULTENA_Msk | SCB_SHCSR_BUSFAULTENA_Msk | SCB_SHCSR_USGFAULTENA_Msk;
    SCB->CCR |= SCB_CCR_DIV_0_TRP_Msk;
}

uint32_t hil_fault_code(void) {
    return code;
}
