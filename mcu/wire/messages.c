#include "messages.h"

#include <string.h>

#include "crc32.h"

bool hil_hello_unpack(hil_bytes_t body, uint16_t *protocol_version) {
    if (body.count != HIL_HELLO_LAYOUT_BYTES) {
        return false;
    }
    *protocol_version = hil_get16(body.at);
    return true;
}

bool hil_configure_unpack(hil_bytes_t body, hil_configure_t *configure) {
    if (body.count != HIL_CONFIGURE_LAYOUT_BYTES) {
        return false;
    }
    configure->deadline_us = hil_get32(body.at);
    configure->baud = hil_get32(body.at + 4);
    configure->early_bytes = hil_get32(body.at + 8);
    configure->server_nonce = body.at + 12;
    return true;
}

bool hil_chunk_unpack(hil_bytes_t body, hil_chunk_t *chunk) {
    if (body.count <= HIL_INPUT_LAYOUT_BYTES ||
        body.count > HIL_INPUT_LAYOUT_BYTES + HIL_CHUNK_MAX) {
        return false;
    }
    chunk->sample = hil_get32(body.at);
    chunk->total = hil_get32(body.at + 4);
    chunk->offset = hil_get32(body.at + 8);
    chunk->counter = 0;
    chunk->data.at = body.at + HIL_INPUT_LAYOUT_BYTES;
    chunk->data.count = body.count - HIL_INPUT_LAYOUT_BYTES;
    return true;
}

bool hil_run_unpack(hil_bytes_t body, hil_run_t *run) {
    if (body.count != HIL_RUN_LAYOUT_BYTES) {
        return false;
    }
    run->sample = hil_get32(body.at);
    run->flags = hil_get32(body.at + 4);
    return true;
}

bool hil_reply_unpack(hil_bytes_t body, hil_reply_t *reply) {
    if (body.count < HIL_REPLY_LAYOUT_BYTES) {
        return false;
    }
    const uint32_t bare = HIL_REPLY_LAYOUT_BYTES + 2U * body.at[5];
    const bool part = body.count == bare + HIL_PART_FIELD_BYTES + HIL_TAG_BYTES;
    if (body.count != bare && body.count != bare + HIL_TAG_BYTES && !part) {
        return false;
    }
    reply->part = part ? body.at + bare : 0;
    reply->tag = body.count == bare ? 0 : body.at + body.count - HIL_TAG_BYTES;
    reply->sample = hil_get32(body.at);
    reply->status = body.at[4];
    reply->count = body.at[5];
    reply->logits = body.at + HIL_REPLY_LAYOUT_BYTES;
    return true;
}

bool hil_check_unpack(hil_bytes_t body, uint32_t *start) {
    if (body.count != HIL_CHECK_LAYOUT_BYTES) {
        return false;
    }
    *start = hil_get32(body.at);
    return true;
}

int16_t hil_reply_logit(const hil_reply_t *reply, uint32_t index) {
    return (int16_t)hil_get16(reply->logits + 2U * index);
}

uint32_t hil_checked_pack(const hil_checked_t *checked, uint8_t *out) {
    out[0] = checked->integrity;
    uint8_t *const at = hil_put32(out + 1, checked->crc);
    return (uint32_t)(hil_put32(hil_put32(at, checked->covered_bytes), checked->cycles) - out);
}

uint32_t hil_capability_pack(const hil_capability_t *capability, uint8_t *out) {
    uint8_t *at = hil_put16(out, HIL_PROTOCOL_VERSION);
    memcpy(at, capability->firmware_version, 3);
    at[3] = capability->reset_cause;
    at = hil_put32(at + 4, capability->clock_hz);
    at = hil_put32(at, capability->baud_max);
    at = hil_put32(at, capability->arena_bytes);
    at = hil_put32(at, capability->input_bytes);
    at = hil_put32(at, capability->payload_capacity);
    at = hil_put16(at, capability->classes);
    at = hil_put16(at, capability->layers);
    memcpy(at, capability->bundle_hash, HIL_HASH_BYTES);
    at += HIL_HASH_BYTES;
    at += hil_checked_pack(&capability->check, at);
    *at++ = capability->nonce_source;
    memcpy(at, capability->nonce, HIL_NONCE_BYTES);
    return (uint32_t)(at - out) + HIL_NONCE_BYTES;
}

uint32_t hil_chunk_pack(const hil_chunk_t *chunk, uint8_t *out) {
    uint8_t *const at = hil_put32(hil_put32(out, chunk->sample), chunk->total);
    return (uint32_t)(hil_put32(hil_put32(at, chunk->offset), chunk->counter) - out);
}

static uint8_t *put_cycles(uint8_t *at, const hil_stage_cycles_t *cycles) {
    at = hil_put32(at, cycles->graph);
    at = hil_put32(at, cycles->quantise);
    at = hil_put32(at, cycles->encode);
    at = hil_put32(at, cycles->frame);
    at = hil_put32(at, cycles->wait);
    at = hil_put32(at, cycles->fuse);
    at = hil_put32(at, cycles->total);
    return hil_put32(hil_put32(at, cycles->overlap), cycles->verify);
}

uint32_t hil_result_pack(const hil_result_t *result, uint8_t *out) {
    const uint32_t room = HIL_BODY_MAX - HIL_RESULT_LAYOUT_BYTES - HIL_CRC_BYTES;
    const uint32_t local = result->local_count <= room ? result->local_count : 0U;
    const uint32_t fused = local + 4U * result->fused_count <= room ? result->fused_count : 0U;
    uint8_t *at = hil_put32(out, result->sample);
    at[0] = result->outcome;
    at[1] = result->reason;
    at = hil_put16(at + 2, result->prediction);
    at = hil_put32(at, result->payload_bytes);
    at = put_cycles(at, &result->cycles);
    at = hil_put32(at, result->stack_peak_bytes);
    at = hil_put16(at, result->retransmissions);
    at = hil_put16(hil_put16(at, result->crc_errors), result->unauthentic);
    at = hil_put32(hil_put32(at, result->input_crc), result->payload_crc);
    at = hil_put16(hil_put16(at, local), fused);
    if (local != 0U) {
        memcpy(at, result->local, local);
        at += local;
    }
    for (uint32_t i = 0; i < fused; i++) {
        at = hil_put32(at, (uint32_t)result->fused[i]);
    }
    at = hil_put32(at, hil_crc32(0, out, (uint32_t)(at - out)));
    return (uint32_t)(at - out);
}

uint32_t hil_layers_pack(uint32_t sample, const uint32_t *cycles, uint32_t count, uint8_t *out) {
    const uint32_t room = (HIL_BODY_MAX - HIL_LAYERS_LAYOUT_BYTES) / 4U;
    const uint32_t sent = count < room ? count : room;
    uint8_t *at = hil_put16(hil_put32(out, sample), sent);
    for (uint32_t i = 0; i < sent; i++) {
        at = hil_put32(at, cycles[i]);
    }
    return (uint32_t)(at - out);
}
