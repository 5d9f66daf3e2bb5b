/* Device halves of every sort that a bundle can have. */
#ifndef HIL_STAND_IN_MODEL_H
#define HIL_STAND_IN_MODEL_H

#include <stdint.h>

/* Makes number `sort` the firmware's; every buffer lies in memory of exactly its size. */
void stand_in_model(uint8_t sort);
void stand_in_model_end(void);

#endif
