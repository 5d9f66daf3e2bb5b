/* All lossless coders behind one door, for tests and benches. */
#ifndef HIL_ENCODE_H
#define HIL_ENCODE_H

#include <stdint.h>

#include "hil_model.h"

/* The one that the format names, -1 when there is none. It links them all: not for firmware. */
hil_encoder_t hil_encode;

#endif
