/* Tables as hil.codec.tables lets them pass, whatever the input says. */
#ifndef HIL_SOUND_TABLES_H
#define HIL_SOUND_TABLES_H

#include "fuzz.h"
#include "hil_model.h"

/* What mcu/codec reads of `format`'s codec; 0: no table. */
uint32_t sound_table_bytes(const hil_payload_format_t *format);
void sound_table(const hil_payload_format_t *format, uint32_t *table, fuzz_t *fuzz);

#endif
