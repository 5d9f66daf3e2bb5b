/* The UART, as far as the transport sees it: bytes in, bytes out, a clock that the test sets. */
#ifndef UART_H
#define UART_H

#include "answer.h"

extern text_t incoming;
extern uint32_t now_ms;

#endif
