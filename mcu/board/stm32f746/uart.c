#include "board.h"

#include "board_config.h"
#include "dma.h"
#include "hil_wire.h"
#include "stm32f7xx.h"
#include "uart.h"

/*
 * Both directions go by DMA, from and to DTCM. DTCM is never cached, so nothing has to be cleaned
 * or invalidated, and DMA reaches it through the core's AHB slave port, also in sleep.
 *
 * The host has one frame outstanding, so the receiver's ring holds that and some acknowledgements.
 * What the device acknowledges goes through a small ring; its own frame is sent from where it lies.
 */
#define RX_BYTES (HIL_ENCODED_MAX + 209U)
#define TX_BYTES 64U
_Static_assert((TX_BYTES & (TX_BYTES - 1U)) == 0U, "indices wrap by masking");

#define CHANNEL  (HIL_UART_DMA_CHANNEL << DMA_SxCR_CHSEL_Pos)
#define BAUD_MIN 9600U

/* Bits of silence until the receiver's timeout: just after the idle flag, which tells the same.
 * Renode has the timeout, but neither the idle flag nor the character match. */
#define TIMEOUT_BITS 12U

HIL_FAST static uint8_t rx[RX_BYTES];
HIL_FAST static uint8_t tx[TX_BYTES];
static uint32_t rx_taken;            /* index of the next byte to read */
static uint32_t rx_seen;             /* index up to which bytes may be read */
static volatile uint32_t rx_noticed; /* index of the DMA when a byte was last noticed */
static volatile uint32_t rx_arrival;
static volatile bool rx_event;
static volatile uint32_t tx_head, tx_tail; /* free-running; head - tail bytes wait or travel */
static const uint8_t *tx_frame;
static volatile uint32_t tx_frame_bytes; /* wait or travel */
static volatile uint32_t tx_travelling;
static volatile bool tx_travels_frame;
static uint32_t current_baud;
/* The second is the complement of the first, or both are noise. */
HIL_KEPT static uint32_t kept_baud, kept_check;
static uint32_t baud_before;
static uint32_t byte_cycles; /* of the core, for ten bits */

/* Kernel clocks for one bit. The kernel clock is the core's (RCC_DCKCFGR2), which divides more
 * finely than an APB clock: 216 MHz / 234 = 923 kbaud, 0.16 % off; 54 MHz / 59 would be 0.69 %. */
static uint32_t clocks_per_bit(uint32_t baud) {
    return (hil_clock_hz() + baud / 2U) / baud;
}

/* A receiver bears 3.5 % between both ends; the other end needs its share. */
bool hil_uart_can(uint32_t baud) {
    if (baud < BAUD_MIN || baud > hil_uart_baud_max()) {
        return false;
    }
    const uint32_t real = hil_clock_hz() / clocks_per_bit(baud);
    const uint32_t error = real > baud ? real - baud : baud - real;
    return error <= baud / 50U;
}

uint32_t hil_uart_baud(void) {
    return current_baud;
}

uint32_t hil_uart_baud_before(void) {
    return baud_before;
}

uint32_t hil_uart_baud_max(void) {
    return hil_clock_hz() / 8U;
}

static void enable(uint32_t baud) {
    const uint32_t clocks = clocks_per_bit(baud);
    const bool over8 = clocks < 16U; /* 8 samples a bit where there are no 16 clocks for it */
    HIL_UART->CR1 = 0;
    /* With OVER8 USARTDIV is twice the clocks, and its lower four bits lie shifted right by one
     * (RM0385 31.8.4). */
    HIL_UART->BRR = over8 ? (2U * clocks & 0xFFF0U) | ((2U * clocks & 0xFU) >> 1) : clocks;
    HIL_UART->RTOR = TIMEOUT_BITS;
    HIL_UART->CR2 = USART_CR2_RTOEN; /* 8N1; USART_CR2_ADD = 0, the byte that ends a frame */
    HIL_UART->CR3 = USART_CR3_DMAR | USART_CR3_DMAT | USART_CR3_OVRDIS;
    HIL_UART->CR1 = (over8 ? USART_CR1_OVER8 : 0U) | USART_CR1_TE | USART_CR1_RE | USART_CR1_UE |
                    USART_CR1_IDLEIE | USART_CR1_CMIE | USART_CR1_RTOIE;
    current_baud = kept_baud = baud;
    kept_check = ~baud;
    byte_cycles = (uint32_t)(10ULL * hil_clock_hz() / baud);
}

/* A debugger may have started the program again without a reset, and the stream still be running.
 */
static void stop_stream(DMA_Stream_TypeDef *stream) {
    stream->CR = 0;
    while (stream->CR & DMA_SxCR_EN) {
    }
}

/* Fills the ring from `index` to its end. */
static void receive_from(uint32_t index) {
    stop_stream(HIL_UART_RX_STREAM);
    hil_dma_clear(HIL_UART_DMA, HIL_UART_RX_STREAM_NUMBER);
    HIL_UART_RX_STREAM->PAR = (uint32_t)&HIL_UART->RDR;
    HIL_UART_RX_STREAM->M0AR = (uint32_t)&rx[index];
    HIL_UART_RX_STREAM->NDTR = RX_BYTES - index;
    HIL_UART_RX_STREAM->FCR = 0; /* direct mode: a byte is in memory at once */
    HIL_UART_RX_STREAM->CR = CHANNEL | DMA_SxCR_MINC | DMA_SxCR_CIRC | DMA_SxCR_PL_1;
    HIL_UART_RX_STREAM->CR |= DMA_SxCR_EN;
}

static void start_pin(GPIO_TypeDef *port, uint32_t pin, uint32_t function) {
    const uint32_t two = pin * 2U, four = (pin & 7U) * 4U;
    port->AFR[pin >> 3] = (port->AFR[pin >> 3] & ~(0xFU << four)) | (function << four);
    port->OSPEEDR |= 2U << two;
    port->PUPDR = (port->PUPDR & ~(3U << two)) | (1U << two); /* an open line must idle high */
    port->MODER = (port->MODER & ~(3U << two)) | (2U << two);
}

void hil_uart_start(uint32_t baud) {
    baud_before = kept_check == ~kept_baud && hil_uart_can(kept_baud) ? kept_baud : baud;
    RCC->AHB1ENR |= HIL_UART_GPIO_ENABLE | HIL_UART_DMA_ENABLE;
    HIL_UART_ENABLE_REGISTER |= HIL_UART_ENABLE;
    (void)HIL_UART_ENABLE_REGISTER; /* two bus cycles until the peripheral answers */
    RCC->DCKCFGR2 |= HIL_UART_CLOCK_SYSCLK;
    start_pin(HIL_UART_TX_PORT, HIL_UART_TX_PIN, HIL_UART_PIN_FUNCTION);
    start_pin(HIL_UART_RX_PORT, HIL_UART_RX_PIN, HIL_UART_PIN_FUNCTION);
    stop_stream(HIL_UART_TX_STREAM);
    receive_from(0);
    enable(baud);
    NVIC_EnableIRQ(HIL_UART_IRQN);
    NVIC_EnableIRQ(HIL_UART_TX_STREAM_IRQN);
}

/* A stream that goes round has its count back long before the last look. */
static bool rx_stuck(void) {
    for (uint32_t i = 0; i < 16U; i++) {
        if (HIL_UART_RX_STREAM->NDTR != 0U) {
            return false;
        }
    }
    return true;
}

/* Renode does not load the count of a circular stream again: it stays 0, and all further bytes wait
 * in the USART. They are taken from there, and the stream begins anew behind them; and again if a
 * byte came in before it was on, which Renode would not ask it to move. */
static void rx_revive(void) {
    uint32_t taken = 0;
    do {
        while ((HIL_UART->ISR & USART_ISR_RXNE) && taken < RX_BYTES - 1U) {
            rx[taken++] = (uint8_t)HIL_UART->RDR;
        }
        receive_from(taken);
    } while ((HIL_UART->ISR & USART_ISR_RXNE) && taken < RX_BYTES - 1U);
}

static uint32_t rx_filled(void) {
    if (rx_stuck()) {
        rx_revive();
    }
    return (RX_BYTES - HIL_UART_RX_STREAM->NDTR) % RX_BYTES;
}

static void notice(uint32_t age) {
    const uint32_t filled = rx_filled();
    if (filled != rx_noticed) {
        rx_arrival = hil_cycles() - age;
        rx_noticed = filled;
        rx_event = true;
    }
}

void hil_uart_notice(void) {
    __disable_irq(); /* the UART's interrupt goes before the tick's */
    notice(0);
    __enable_irq();
}

void HIL_UART_IRQ_HANDLER(void) {
    /* A zero byte arrived, or the line fell idle: that is told when nothing has followed the last
     * byte for as long as a byte takes, and again by the timeout. Without USART_CR3_EIE errors only
     * set flags. */
    const uint32_t flags = HIL_UART->ISR;
    HIL_UART->ICR = USART_ICR_CMCF | USART_ICR_IDLECF | USART_ICR_RTOCF | USART_ICR_FECF |
                    USART_ICR_NCF | USART_ICR_ORECF | USART_ICR_PECF;
    const bool idle = flags & USART_ISR_IDLE, silent = flags & USART_ISR_RTOF;
    notice(idle ? byte_cycles : silent ? byte_cycles * TIMEOUT_BITS / 10U : 0U);
    rx_event = true; /* the DMA may be a bus cycle behind the flag */
}

uint32_t hil_uart_arrival(void) {
    return rx_arrival;
}

uint32_t hil_uart_read(uint8_t *bytes, uint32_t capacity) {
    if (rx_taken == rx_seen) {
        __disable_irq();
        notice(0);
        rx_seen = rx_noticed;
        rx_event = false;
        __enable_irq();
    }
    uint32_t count = 0;
    while (rx_taken != rx_seen && count < capacity) {
        bytes[count++] = rx[rx_taken];
        rx_taken = (rx_taken + 1U) % RX_BYTES;
    }
    return count;
}

bool hil_uart_has_news(void) {
    return rx_event || rx_taken != rx_seen;
}

void hil_sleep(void) {
    /* An interrupt between the test and WFI stays pending under PRIMASK, and a pending interrupt
     * ends WFI: no wake-up is lost. */
    __disable_irq();
    if (!hil_uart_has_news()) {
        __DSB();
        __WFI();
    }
    __enable_irq();
    __ISB();
}

/* Only with the stream idle, and from one context at a time. The ring goes first, so what wraps in
 * it leaves in one piece. */
static void start_transmitter(void) {
    const uint32_t begin = tx_tail % TX_BYTES, waiting = tx_head - tx_tail;
    const uint32_t to_wrap = TX_BYTES - begin;
    tx_travels_frame = waiting == 0U;
    tx_travelling = tx_travels_frame ? tx_frame_bytes : waiting < to_wrap ? waiting : to_wrap;
    if (tx_travelling == 0U) {
        return;
    }
    hil_dma_clear(HIL_UART_DMA, HIL_UART_TX_STREAM_NUMBER);
    HIL_UART->ICR = USART_ICR_TCCF;
    HIL_UART_TX_STREAM->PAR = (uint32_t)&HIL_UART->TDR;
    HIL_UART_TX_STREAM->M0AR = (uint32_t)(tx_travels_frame ? tx_frame : &tx[begin]);
    HIL_UART_TX_STREAM->NDTR = tx_travelling;
    HIL_UART_TX_STREAM->FCR = 0;
    HIL_UART_TX_STREAM->CR = CHANNEL | DMA_SxCR_MINC | DMA_SxCR_DIR_0 | DMA_SxCR_TCIE;
    __DSB(); /* the bytes are in memory before the DMA looks */
    HIL_UART_TX_STREAM->CR |= DMA_SxCR_EN;
}

void HIL_UART_TX_STREAM_IRQ_HANDLER(void) {
    hil_dma_clear(HIL_UART_DMA, HIL_UART_TX_STREAM_NUMBER);
    if (tx_travels_frame) {
        tx_frame_bytes = 0;
    } else {
        tx_tail += tx_travelling;
    }
    start_transmitter();
    __DSB(); /* or the cleared flag would raise the interrupt once more on return */
}

void hil_uart_write(const uint8_t *bytes, uint32_t count) {
    if (count > TX_BYTES - (tx_head - tx_tail)) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        tx[(tx_head + i) % TX_BYTES] = bytes[i];
    }
    __disable_irq();
    tx_head += count;
    if (tx_travelling == 0U) {
        start_transmitter();
    }
    __enable_irq();
}

void hil_uart_send(const uint8_t *bytes, uint32_t count) {
    __disable_irq();
    if (tx_frame_bytes == 0U) {
        tx_frame = bytes;
        tx_frame_bytes = count;
        if (tx_travelling == 0U) {
            start_transmitter();
        }
    }
    __enable_irq();
}

/* For everything to leave it takes so long: 1.2 s at 9600 baud. Nothing waits longer. */
static uint32_t limit_ms(void) {
    return 20U + (TX_BYTES + HIL_ENCODED_MAX) * 10000U / current_baud;
}

void hil_uart_await_sent(void) {
    const uint32_t begin = hil_tick_ms();
    while (tx_frame_bytes != 0U && hil_tick_ms() - begin < limit_ms()) {
        hil_watchdog_kick();
    }
}

void hil_uart_change(uint32_t baud) {
    const uint32_t begin = hil_tick_ms();
    while ((tx_travelling != 0U || !(HIL_UART->ISR & USART_ISR_TC)) &&
           hil_tick_ms() - begin < limit_ms()) {
        hil_watchdog_kick();
    }
    enable(baud);
}

void hil_uart_write_polling(const uint8_t *bytes, uint32_t count) {
    HIL_UART_TX_STREAM->CR = 0;
    HIL_UART->CR3 &= ~USART_CR3_DMAT;
    for (uint32_t i = 0; i <= count; i++) {
        const uint32_t flag = i < count ? USART_ISR_TXE : USART_ISR_TC;
        for (uint32_t patience = hil_clock_hz() / 100U; patience != 0U; patience--) {
            if (HIL_UART->ISR & flag) {
                break;
            }
        }
        if (i < count) {
            HIL_UART->TDR = bytes[i];
        }
    }
}
