#ifndef HIL_INFERENCE_H
#define HIL_INFERENCE_H

#include "messages.h"

/* Infers on the uploaded input, of which RESULT tells `input_crc`, and sends RESULT, and LAYERS
 * when the run asks for it. */
void hil_infer(const hil_run_t *run, const hil_configure_t *configure, uint32_t input_crc);

#endif
