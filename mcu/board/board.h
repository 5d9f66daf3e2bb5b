/* What the firmware needs from a microcontroller. Everything above this line is portable C. */
#ifndef HIL_BOARD_H
#define HIL_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "messages.h"

/* Small and often used: lies in tightly coupled memory, zeroed at the start, visible to DMA. */
#define HIL_FAST __attribute__((section(".hil_fast")))
/* Survives every reset but the loss of power; holds anything after that. */
#define HIL_KEPT __attribute__((section(".hil_kept")))

void hil_board_start(void);

/* Clocks: the core's frequency as it came out, and its 32-bit cycle counter. */
void hil_clock_start(void);
uint32_t hil_clock_hz(void);
void hil_cycles_start(void);
uint32_t hil_cycles(void);

/* Milliseconds since the start. */
void hil_tick_start(void);
uint32_t hil_tick_ms(void);

/* Sleeps until an interrupt, unless bytes came in since the last hil_uart_read. */
void hil_sleep(void);
/* The same for a device with nothing to do: ticks are left out, and made up for. */
void hil_sleep_long(void);

void hil_uart_start(uint32_t baud);
/* The rate at the last reset, by memory that outlives it; if not known, hil_uart_baud(). */
uint32_t hil_uart_baud_before(void);
/* For a few bytes, which are copied. What finds no room, or is sent while the one before is still
 * leaving, is dropped whole, as if the wire had damaged it. */
void hil_uart_write(const uint8_t *bytes, uint32_t count);
/* Sends bytes in HIL_FAST memory from where they lie: they are not to change until
 * hil_uart_await_sent. */
void hil_uart_send(const uint8_t *bytes, uint32_t count);
void hil_uart_await_sent(void);
uint32_t hil_uart_read(uint8_t *bytes, uint32_t capacity);
/* hil_cycles() when the newest byte was noticed: by interrupt at every zero byte and at every
 * pause, else by the next tick. */
uint32_t hil_uart_arrival(void);
bool hil_uart_can(uint32_t baud);
uint32_t hil_uart_baud(void);
uint32_t hil_uart_baud_max(void);
/* Waits until the last bit has left, then changes the rate. */
void hil_uart_change(uint32_t baud);
/* For the fault handler: no interrupts, no DMA. */
void hil_uart_write_polling(const uint8_t *bytes, uint32_t count);

/* Code and constants in flash against the CRC that was written behind them after linking, and code
 * in ITCM RAM against the flash that it was copied from. The CRC begins with `start`; unless that
 * is 0 there is nothing to compare it with, and it is the host's to judge. */
hil_checked_t hil_integrity_check(uint32_t start);
/* The latest check from 0: the start's, or one that the host asked for. */
void hil_integrity_start(void);
const hil_checked_t *hil_integrity(void);

/* From the microcontroller's generator. False where it has none that works. */
bool hil_random(uint32_t *words, uint32_t count);
/* The same for all of a chip's life, and no other chip's. */
void hil_unique_id(uint32_t words[3]);

void hil_watchdog_start(void);
void hil_watchdog_kick(void);

/* HIL_RESET_* of the last reset. */
void hil_reset_start(void);
uint8_t hil_reset_cause(void);

/* Most bytes of stack ever used. */
uint32_t hil_stack_peak(void);

/* One flash every two seconds, and after a fault one more for every number of its code. */
void hil_led_start(void);
void hil_led_update(void);

/* Code of the fault that caused the last reset, 0 when none did. */
void hil_fault_start(void);
uint32_t hil_fault_code(void);

#endif
