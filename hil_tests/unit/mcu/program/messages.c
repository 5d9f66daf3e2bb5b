/* Messages of both ways. */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "fault_frame.h"
#include "frame.h"
#include "messages.h"

/* Numbers of a RESULT in the order of its layout, then local and fused logits.
 */
void pack_result(const uint8_t *bytes, uint32_t count) {
    (void)count;
    uint32_t n[21];
    for (uint32_t i = 0; i < 21; i++) {
        n[i] = hil_get32(bytes + 4 * i);
    }
    int8_t *const local = copy(bytes + 84, n[19]);
    int32_t *const fused = copy(bytes + 84 + n[19], 4 * n[20]);
    const hil_result_t result = {
        .sample = n[0],
        .outcome = (uint8_t)n[1],
        .reason = (uint8_t)n[2],
        .prediction = (uint16_t)n[3],
        .payload_bytes = n[4],
        .cycles = {n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12], n[13]},
        .stack_peak_bytes = n[14],
        .retransmissions = (uint16_t)n[15],
        .crc_errors = (uint16_t)(n[15] >> 16),
        .unauthentic = (uint16_t)n[16],
        .input_crc = n[17],
        .payload_crc = n[18],
        .local_count = (uint16_t)n[19],
        .fused_count = (uint16_t)n[20],
        .local = local,
        .fused = fused,
    };
    uint8_t *const out = malloc(HIL_BODY_MAX);
    say(out, hil_result_pack(&result, out));
    free(local);
    free(fused);
    free(out);
}

/* A CAPABILITY of thirteen numbers, in the order of its layout, the hash and the nonce. */
void pack_capability(const uint8_t *bytes, uint32_t count) {
    (void)count;
    uint32_t n[13];
    for (uint32_t i = 0; i < 13; i++) {
        n[i] = hil_get32(bytes + 4 * i);
    }
    const hil_capability_t capability = {
        .firmware_version = {(uint8_t)n[0], (uint8_t)(n[0] >> 8), (uint8_t)(n[0] >> 16)},
        .reset_cause = (uint8_t)(n[0] >> 24),
        .clock_hz = n[1],
        .baud_max = n[2],
        .arena_bytes = n[3],
        .input_bytes = n[4],
        .payload_capacity = n[5],
        .classes = (uint16_t)n[6],
        .layers = (uint16_t)n[7],
        .bundle_hash = bytes + 52,
        .check = {(uint8_t)n[8], n[9], n[10], n[11]},
        .nonce_source = (uint8_t)n[12],
        .nonce = bytes + 52 + HIL_HASH_BYTES,
    };
    uint8_t *const out = malloc(HIL_CAPABILITY_LAYOUT_BYTES);
    say(out, hil_capability_pack(&capability, out));
    free(out);
}

void pack_layers(const uint8_t *bytes, uint32_t count) {
    uint32_t *const cycles = copy(bytes + 4, count - 4);
    uint8_t *const out = malloc(HIL_BODY_MAX);
    say(out, hil_layers_pack(hil_get32(bytes), cycles, (count - 4) / 4, out));
    free(cycles);
    free(out);
}

/* Which message the body is, by the unpackers' own verdict on its length; then
 * its numbers. */
void unpack(const uint8_t *bytes, uint32_t count) {
    uint8_t *const exact = copy(bytes + 1, count - 1);
    const hil_bytes_t body = {exact, count - 1};
    uint16_t version;
    hil_configure_t configure;
    hil_chunk_t chunk;
    hil_run_t run;
    hil_reply_t reply;
    uint32_t start;
    if (bytes[0] == HIL_FRAME_HELLO && hil_hello_unpack(body, &version)) {
        say32(version);
    } else if (bytes[0] == HIL_FRAME_CONFIGURE && hil_configure_unpack(body, &configure)) {
        say32(configure.deadline_us);
        say32(configure.baud);
        say32(configure.early_bytes);
        say(configure.server_nonce, HIL_NONCE_BYTES);
    } else if (bytes[0] == HIL_FRAME_INPUT && hil_chunk_unpack(body, &chunk)) {
        say32(chunk.sample);
        say32(chunk.total);
        say32(chunk.offset);
        say(chunk.data.at, chunk.data.count);
    } else if (bytes[0] == HIL_FRAME_RUN && hil_run_unpack(body, &run)) {
        say32(run.sample);
        say32(run.flags);
    } else if (bytes[0] == HIL_FRAME_CHECK && hil_check_unpack(body, &start)) {
        say32(start);
    } else if (bytes[0] == HIL_FRAME_REPLY && hil_reply_unpack(body, &reply)) {
        say32(reply.sample);
        say32(reply.status);
        for (uint32_t i = 0; i < reply.count; i++) {
            say32((uint32_t)(int32_t)hil_reply_logit(&reply, i));
        }
        say(reply.part, reply.part == 0 ? 0U : HIL_PART_FIELD_BYTES);
        say(reply.tag, reply.tag == 0 ? 0U : HIL_TAG_BYTES);
    }
    free(exact);
}

void frame_fault(const uint8_t *bytes, uint32_t count) {
    uint8_t fault[HIL_FAULT_FRAME_BYTES];
    uint32_t words[HIL_FAULT_LAYOUT_BYTES / 4U];
    (void)count;
    memcpy(words, bytes, sizeof words);
    say(fault, hil_fault_frame(fault, words));
}
