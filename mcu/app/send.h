#ifndef HIL_SEND_H
#define HIL_SEND_H

#include <stdbool.h>

#include "bytes.h"

/* Sends one message and waits for its acknowledgement. False when the host gave none, or began
 * a new conversation. */
bool hil_send(uint8_t kind, hil_bytes_t body);

#endif
