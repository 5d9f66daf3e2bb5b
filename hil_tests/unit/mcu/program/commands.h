/* What can be asked: each takes the bytes that belong to it and says its answer (answer.h).
 * The bytes are described where the command is. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdint.h>

typedef void command_t(const uint8_t *bytes, uint32_t count);

/* frames.c, transport.c, messages.c, auth.c */
command_t decode_stream, encode_frame;
command_t drive_transport;
command_t pack_result, pack_capability, pack_layers, unpack, frame_fault;
command_t hash, verify;

/* lzw.c, payload.c */
command_t lzw_encode, lzw_decode;
command_t encode_payload, quantise;

/* runtime.c, kernels.c */
command_t fuse, decide_exit, cover;
command_t pad, slice_channels, clamp;

#endif
