#include "quantise.h"

#include "hil_wire.h"

void hil_quantise(const int8_t *feature, const hil_payload_format_t *format,
                  const uint8_t symbol_of[256], uint8_t *symbols) {
    const uint8_t *const symbol_of_zero = symbol_of + 128;
    const uint32_t stride = format->feature_channels;
    const uint32_t run = format->order == HIL_ORDER_ROWS ? format->width : format->pixels;
    feature += format->channel_begin;
    for (uint32_t begin = 0; begin < format->pixels; begin += run, feature += run * stride) {
        for (uint32_t c = 0; c < format->channels; c++) {
            const int8_t *value = feature + c;
            for (uint32_t p = 0; p < run; p++, value += stride) {
                *symbols++ = symbol_of_zero[*value];
            }
        }
    }
}
