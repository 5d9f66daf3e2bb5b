#ifndef HIL_UART_H
#define HIL_UART_H

#include <stdbool.h>

/* Bytes came in since the last hil_uart_read. */
bool hil_uart_has_news(void);

/* Looks whether bytes came in; the tick calls it for cores on which no interrupt tells. */
void hil_uart_notice(void);

#endif
