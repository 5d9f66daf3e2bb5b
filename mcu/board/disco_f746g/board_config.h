/* 32F746G-DISCO (UM1907): USART1 goes to the ST-LINK's virtual COM port. */
#ifndef HIL_BOARD_CONFIG_H
#define HIL_BOARD_CONFIG_H

#define HIL_HSE_HZ     25000000U
#define HIL_HSE_BYPASS 0

#define HIL_UART                 USART1
#define HIL_UART_IRQN            USART1_IRQn
#define HIL_UART_IRQ_HANDLER     USART1_IRQHandler
#define HIL_UART_CLOCK_SYSCLK    RCC_DCKCFGR2_USART1SEL_0
#define HIL_UART_ENABLE_REGISTER (RCC->APB2ENR)
#define HIL_UART_ENABLE          RCC_APB2ENR_USART1EN
#define HIL_UART_GPIO_ENABLE     (RCC_AHB1ENR_GPIOAEN | RCC_AHB1ENR_GPIOBEN)
#define HIL_UART_TX_PORT         GPIOA
#define HIL_UART_TX_PIN          9U
#define HIL_UART_RX_PORT         GPIOB
#define HIL_UART_RX_PIN          7U
#define HIL_UART_PIN_FUNCTION    7U

#define HIL_UART_DMA                   DMA2
#define HIL_UART_DMA_ENABLE            RCC_AHB1ENR_DMA2EN
#define HIL_UART_DMA_CHANNEL           4U
#define HIL_UART_RX_STREAM             DMA2_Stream2
#define HIL_UART_RX_STREAM_NUMBER      2U
#define HIL_UART_TX_STREAM             DMA2_Stream7
#define HIL_UART_TX_STREAM_NUMBER      7U
#define HIL_UART_TX_STREAM_IRQN        DMA2_Stream7_IRQn
#define HIL_UART_TX_STREAM_IRQ_HANDLER DMA2_Stream7_IRQHandler

#define HIL_LED_GPIO_ENABLE RCC_AHB1ENR_GPIOIEN
#define HIL_LED_PORT        GPIOI /* LD1, green */
#define HIL_LED_PIN         1U

#endif
