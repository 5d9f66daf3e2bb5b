/* What every loop of the firmware has to do besides its own work. */
#ifndef HIL_UPKEEP_H
#define HIL_UPKEEP_H

#include <stdbool.h>
#include <stdint.h>

/* Kicks the watchdog, shows the heartbeat, watches over a new baud rate. */
void hil_upkeep(void);

/* Nothing has to be looked at each millisecond. */
bool hil_upkeep_settled(void);

/* Changes the rate once everything written has left. The acknowledgement may have been lost, and
 * the host be at the former rate still: until an intact frame arrives at the new one, damage makes
 * the UART change between the two, so that one of the host's repetitions gets through. */
void hil_upkeep_change_baud(uint32_t baud);

#endif
