#include "stm32f7xx.h"

void hil_fault_entry(void);
void Reset_Handler(void);
extern uint32_t __hil_stack_end[];

/* A handler that no file defines is a fault. */
#define WEAK __attribute__((weak, alias("fault")))

__attribute__((naked, used)) static void fault(void) {
    __asm volatile("b hil_fault_entry");
}

void NMI_Handler(void) WEAK;
void HardFault_Handler(void) WEAK;
void MemManage_Handler(void) WEAK;
void BusFault_Handler(void) WEAK;
void UsageFault_Handler(void) WEAK;
void SVC_Handler(void) WEAK;
void DebugMon_Handler(void) WEAK;
void PendSV_Handler(void) WEAK;
void SysTick_Handler(void) WEAK;

#define INTERRUPT(name) void name##_IRQHandler(void) WEAK;
#include "interrupts.def"
#undef INTERRUPT

typedef void (*vector_t)(void);

__attribute__((section(".isr_vector"), used)) static const vector_t vectors[] = {
    [0] = (vector_t)__hil_stack_end, [1] = Reset_Handler,     [2] = NMI_Handler,
    [3] = HardFault_Handler,         [4] = MemManage_Handler, [5] = BusFault_Handler,
    [6] = UsageFault_Handler,        [11] = SVC_Handler,      [12] = DebugMon_Handler,
    [14] = PendSV_Handler,           [15] = SysTick_Handler,
#define INTERRUPT(name) [16 + name##_IRQn] = name##_IRQHandler,
#include "interrupts.def"
};
