/* A board whose time is virtual, and whose UART has the input's script at its other end. */
#ifndef HIL_STAND_IN_BOARD_H
#define HIL_STAND_IN_BOARD_H

#include <stdbool.h>

#include "fuzz.h"

/* Runs the firmware, which was reset at rate `baud_before`, against the script until that is over;
 * then says HELLO as a host does, and requires the firmware's CAPABILITY. */
void stand_in_run(fuzz_t script, uint32_t baud_before);

/* Whether its generator gives random numbers. */
void stand_in_random(bool works);

#endif
