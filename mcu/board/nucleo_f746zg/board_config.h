/* NUCLEO-F746ZG (UM1974): USART3 goes to the ST-LINK's virtual COM port, and the ST-LINK's clock
 * output drives HSE. */
#ifndef HIL_BOARD_CONFIG_H
#define HIL_BOARD_CONFIG_H

#define HIL_HSE_HZ     8000000U
#define HIL_HSE_BYPASS 1

#define HIL_UART                 USART3
#define HIL_UART_IRQN            USART3_IRQn
#define HIL_UART_IRQ_HANDLER     USART3_IRQHandler
#define HIL_UART_CLOCK_SYSCLK    RCC_DCKCFGR2_USART3SEL_0
#define HIL_UART_ENABLE_REGISTER (RCC->APB1ENR)
#define HIL_UART_ENABLE          RCC_APB1ENR_USART3EN
#define HIL_UART_GPIO_ENABLE     RCC_AHB1ENR_GPIODEN
#define HIL_UART_TX_PORT         GPIOD
#define HIL_UART_TX_PIN          8U
#define HIL_UART_RX_PORT         GPIOD
#define HIL_UART_RX_PIN          9U
#define HIL_UART_PIN_FUNCTION    7U

#define HIL_UART_DMA                   DMA1
#define HIL_UART_DMA_ENABLE            RCC_AHB1ENR_DMA1EN
#define HIL_UART_DMA_CHANNEL           4U
#define HIL_UART_RX_STREAM             DMA1_Stream1
#define HIL_UART_RX_STREAM_NUMBER      1U
#define HIL_UART_TX_STREAM             DMA1_Stream3
#define HIL_UART_TX_STREAM_NUMBER      3U
#define HIL_UART_TX_STREAM_IRQN        DMA1_Stream3_IRQn
#define HIL_UART_TX_STREAM_IRQ_HANDLER DMA1_Stream3_IRQHandler

#define HIL_LED_GPIO_ENABLE RCC_AHB1ENR_GPIOBEN
#define HIL_LED_PORT        GPIOB /* LD1, green; LD2 blue is PB7, LD3 red PB14 */
#define HIL_LED_PIN         0U

#endif
