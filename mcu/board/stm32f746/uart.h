#ifndef HIL_UART_H
#define HIL_UART_H

/* Looks whether bytes came in; the tick calls it for cores on which no interrupt tells. */
void hil_uart_notice(void);

#endif
