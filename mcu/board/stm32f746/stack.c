#include "board.h"

#define PAINT 0xC5C5C5C5U /* as Reset_Handler paints it */

extern const uint32_t __hil_stack_start[], __hil_stack_end[];

uint32_t hil_stack_peak(void) {
    const uint32_t *word = __hil_stack_start;
    while (word < __hil_stack_end && *word == PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)__hil_stack_end - (uintptr_t)word);
}
