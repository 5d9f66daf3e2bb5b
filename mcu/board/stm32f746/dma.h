/* The flags of a DMA stream lie in one of two registers, at a place that only the stream's number
 * tells (RM0385 8.5.1 to 8.5.4). */
#ifndef HIL_DMA_H
#define HIL_DMA_H

#include "stm32f7xx.h"

#define HIL_DMA_ALL_FLAGS 0x3DU /* TCIF HTIF TEIF DMEIF FEIF */

static inline void hil_dma_clear(DMA_TypeDef *dma, uint32_t stream) {
    static const uint8_t shift[] = {0, 6, 16, 22};
    volatile uint32_t *const clear = stream < 4U ? &dma->LIFCR : &dma->HIFCR;
    *clear = HIL_DMA_ALL_FLAGS << shift[stream & 3U];
}

#endif
