#ifndef HIL_PROTOCOL_H
#define HIL_PROTOCOL_H

/* Says STARTED, for a host that may be in the middle of a conversation. Waits for no answer. */
void hil_protocol_start(void);

/* Obeys the waiting message, or refuses it with REJECT. */
void hil_protocol_handle(void);

#endif
