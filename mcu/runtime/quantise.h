#ifndef HIL_QUANTISE_H
#define HIL_QUANTISE_H

#include "hil_model.h"

/* The symbols of the channels that cross the link, in the format's order: pixel p of channel c is
 * the centroid of feature[p * feature_channels + channel_begin + c]. */
void hil_quantise(const int8_t *feature, const hil_payload_format_t *format,
                  const uint8_t symbol_of[256], uint8_t *symbols);

#endif
