/* Bodies of frames, as to_device.py and to_host.py of host/hil/wire/ lay them out: little-endian,
 * in this order. */
#ifndef HIL_MESSAGES_H
#define HIL_MESSAGES_H

#include <stdbool.h>

#include "bytes.h"
#include "hil_wire.h"

typedef struct {
    uint32_t deadline_us;
    uint32_t baud;
    uint32_t early_bytes; /* 0: the payload is sent when all of it is there */
    const uint8_t *server_nonce;
} hil_configure_t;

typedef struct {
    uint32_t sample;
    uint32_t total; /* 0: more will come, how much is not known yet */
    uint32_t offset;
    uint32_t counter; /* of a payload */
    hil_bytes_t data;
} hil_chunk_t;

typedef struct {
    uint32_t sample;
    uint32_t flags;
} hil_run_t;

typedef struct {
    uint32_t sample;
    uint8_t status; /* HIL_REPLY_* */
    uint8_t count;
    const uint8_t *logits; /* count little-endian int16 */
    const uint8_t *part;   /* a word: so many of the payload's bytes are answered; NULL: all */
    const uint8_t *tag;    /* HIL_TAG_BYTES, or NULL; a part has one */
} hil_reply_t;

typedef struct {
    uint8_t integrity; /* HIL_INTEGRITY_* */
    uint32_t crc;      /* as computed */
    uint32_t covered_bytes;
    uint32_t cycles;
} hil_checked_t;

typedef struct {
    uint8_t firmware_version[3];
    uint8_t reset_cause;
    uint32_t clock_hz;
    uint32_t baud_max;
    uint32_t arena_bytes;
    uint32_t input_bytes;
    uint32_t payload_capacity;
    uint16_t classes;
    uint16_t layers;
    const uint8_t *bundle_hash;
    hil_checked_t check;  /* of the start */
    uint8_t nonce_source; /* HIL_NONCE_SOURCE_* */
    const uint8_t *nonce;
} hil_capability_t;

typedef struct {
    uint32_t graph, quantise, encode, frame, wait, fuse, total;
    uint32_t overlap; /* of the transmission with the stages up to `frame`; in no sum */
    uint32_t verify;  /* of replies; in `wait`, or of the one that was taken in `fuse` */
} hil_stage_cycles_t;

typedef struct {
    uint32_t sample;
    uint8_t outcome; /* HIL_OUTCOME_* */
    uint8_t reason;  /* HIL_FALLBACK_* */
    uint16_t prediction;
    uint32_t payload_bytes;
    hil_stage_cycles_t cycles;
    uint32_t stack_peak_bytes;
    uint16_t retransmissions;
    uint16_t crc_errors;
    uint16_t unauthentic; /* replies that were ignored */
    uint32_t input_crc;   /* of the input as it lay in memory before the graph ran */
    uint32_t payload_crc; /* of the payload as it was made; 0 without one */
    uint16_t local_count;
    uint16_t fused_count;
    const int8_t *local;
    const int32_t *fused;
} hil_result_t;

/* These return false when the length of the body is wrong. */
bool hil_hello_unpack(hil_bytes_t body, uint16_t *protocol_version);
bool hil_configure_unpack(hil_bytes_t body, hil_configure_t *configure);
bool hil_chunk_unpack(hil_bytes_t body, hil_chunk_t *chunk);
bool hil_run_unpack(hil_bytes_t body, hil_run_t *run);
bool hil_reply_unpack(hil_bytes_t body, hil_reply_t *reply);
bool hil_check_unpack(hil_bytes_t body, uint32_t *start);
int16_t hil_reply_logit(const hil_reply_t *reply, uint32_t index);

/* These return the bytes written to `out`, which holds HIL_BODY_MAX unless said otherwise. */
uint32_t hil_capability_pack(const hil_capability_t *capability, uint8_t *out);
/* HIL_CHECKED_LAYOUT_BYTES are written. */
uint32_t hil_checked_pack(const hil_checked_t *checked, uint8_t *out);
/* The data stays where it is; HIL_PAYLOAD_LAYOUT_BYTES are written. */
uint32_t hil_chunk_pack(const hil_chunk_t *chunk, uint8_t *out);
/* A list of logits that does not fit a body any more is left out: `fused` first, then `local`. A
 * CRC-32 of the body ends it, so that the host also sees what changes before the frame is made. */
uint32_t hil_result_pack(const hil_result_t *result, uint8_t *out);
/* Layers beyond what fits a body are left out. */
uint32_t hil_layers_pack(uint32_t sample, const uint32_t *cycles, uint32_t count, uint8_t *out);

#endif
