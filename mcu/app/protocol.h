#ifndef HIL_PROTOCOL_H
#define HIL_PROTOCOL_H

/* Obeys the waiting message, or refuses it with REJECT. */
void hil_protocol_handle(void);

#endif
