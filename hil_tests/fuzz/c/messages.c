/* Bodies of messages: read within their bounds, written within theirs, and the spans of an input
 * that its chunks name are those of a plain map of bytes.
 *
 * Pieces of a kind, a size (u16) and so many bytes. A kind of the host's is a body to read, others
 * are bodies to write. */
#include "messages.h"

#include "coverage.h"
#include "fuzz.h"

#define INPUT 512U
#define SPANS 4U

typedef struct {
    hil_coverage_t coverage;
    uint32_t spans;
    uint8_t has[INPUT];
} input_t;

static uint32_t pieces(const uint8_t *has) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < INPUT; i++) {
        count += has[i] && (i == 0U || !has[i - 1U]);
    }
    return count;
}

static void cover(input_t *input, uint32_t begin, uint32_t end) {
    uint8_t wanted[INPUT];
    memcpy(wanted, input->has, INPUT);
    memset(wanted + begin, 1, end - begin);
    const uint32_t before = input->spans;
    const bool added = hil_coverage_add(&input->coverage, &input->spans, begin, end);
    if (added) {
        memcpy(input->has, wanted, INPUT);
    } else {
        REQUIRE(before == SPANS && input->spans == SPANS && pieces(wanted) == SPANS + 1U);
    }
    REQUIRE(input->spans == pieces(input->has));
    uint8_t found[INPUT] = {0};
    for (uint32_t i = 0; i < input->spans; i++) {
        const hil_span_t span = input->coverage.spans[i];
        REQUIRE(span.begin < span.end && span.end <= INPUT);
        memset(found + span.begin, 1, span.end - span.begin);
    }
    REQUIRE(memcmp(found, input->has, INPUT) == 0);
    REQUIRE(hil_coverage_complete(&input->coverage, input->spans, INPUT) ==
            (memchr(found, 0, INPUT) == NULL));
}

static void take_chunk(input_t *input, hil_bytes_t body) {
    hil_chunk_t chunk;
    if (!hil_chunk_unpack(body, &chunk)) {
        return;
    }
    REQUIRE(chunk.data.count >= 1U && chunk.data.count <= HIL_CHUNK_MAX);
    REQUIRE(chunk.data.at + chunk.data.count == body.at + body.count);
    uint8_t head[HIL_PAYLOAD_LAYOUT_BYTES];
    chunk.counter = 0x04030201U; /* of a payload: an input has none */
    REQUIRE(hil_chunk_pack(&chunk, head) == sizeof head);
    REQUIRE(memcmp(head, body.at, HIL_INPUT_LAYOUT_BYTES) == 0);
    REQUIRE(memcmp(head + HIL_INPUT_LAYOUT_BYTES, "\1\2\3\4", 4) == 0);
    if (chunk.data.count <= INPUT && chunk.offset <= INPUT - chunk.data.count) {
        cover(input, chunk.offset, chunk.offset + chunk.data.count);
    }
}

static void take_reply(hil_bytes_t body) {
    hil_reply_t reply;
    if (hil_reply_unpack(body, &reply)) {
        const uint32_t tag_bytes = reply.tag == 0 ? 0U : HIL_TAG_BYTES;
        const uint32_t part_bytes = reply.part == 0 ? 0U : HIL_PART_FIELD_BYTES;
        REQUIRE(HIL_REPLY_LAYOUT_BYTES + 2U * reply.count + part_bytes + tag_bytes == body.count);
        REQUIRE(reply.part == 0 || reply.part + part_bytes == reply.tag);
        REQUIRE(reply.tag == 0 || reply.tag + HIL_TAG_BYTES == body.at + body.count);
        for (uint32_t i = 0; i < reply.count; i++) {
            (void)hil_reply_logit(&reply, i);
        }
    }
}

static void pack_result(fuzz_t *fuzz) {
    hil_result_t result = {.local_count = fuzz16(fuzz) % 1200U, .fused_count = fuzz16(fuzz) % 400U};
    int8_t *const local = exactly(result.local_count);
    int32_t *const fused = exactly(4U * (size_t)result.fused_count);
    memset(local, 0x55, result.local_count);
    memset(fused, 0x33, 4U * (size_t)result.fused_count);
    result.local = local;
    result.fused = fused;
    uint8_t *const out = exactly(HIL_BODY_MAX);
    const uint32_t count = hil_result_pack(&result, out);
    REQUIRE(count >= HIL_RESULT_LAYOUT_BYTES && count <= HIL_BODY_MAX);
    const uint32_t at = HIL_RESULT_LAYOUT_BYTES - 4U;
    REQUIRE(count == HIL_RESULT_LAYOUT_BYTES + hil_get16(out + at) + 4U * hil_get16(out + at + 2U) +
                         HIL_CRC_BYTES);
    release(out, HIL_BODY_MAX);
    release(local, result.local_count);
    release(fused, 4U * (size_t)result.fused_count);
}

static void pack_layers(fuzz_t *fuzz) {
    const uint32_t layers = fuzz16(fuzz) % 600U;
    uint32_t *const cycles = exactly(4U * (size_t)layers);
    memset(cycles, 0x77, 4U * (size_t)layers);
    uint8_t *const out = exactly(HIL_BODY_MAX);
    const uint32_t count = hil_layers_pack(7, cycles, layers, out);
    REQUIRE(count == HIL_LAYERS_LAYOUT_BYTES + 4U * hil_get16(out + 4) && count <= HIL_BODY_MAX);
    release(out, HIL_BODY_MAX);
    release(cycles, 4U * (size_t)layers);
}

static void read_or_write(input_t *input, fuzz_t *fuzz) {
    uint16_t version;
    hil_configure_t configure;
    hil_run_t run;
    uint32_t start;
    const uint8_t kind = fuzz8(fuzz);
    if (kind == HIL_FRAME_RESULT) {
        pack_result(fuzz);
        return;
    }
    if (kind == HIL_FRAME_LAYERS) {
        pack_layers(fuzz);
        return;
    }
    size_t count;
    uint8_t *const bytes = fuzz_bytes(fuzz, fuzz16(fuzz) % (HIL_BODY_MAX + 1U), &count);
    const hil_bytes_t body = {bytes, (uint32_t)count};
    switch (kind) {
    case HIL_FRAME_HELLO:
        (void)hil_hello_unpack(body, &version);
        break;
    case HIL_FRAME_CONFIGURE:
        (void)hil_configure_unpack(body, &configure);
        break;
    case HIL_FRAME_RUN:
        (void)hil_run_unpack(body, &run);
        break;
    case HIL_FRAME_CHECK:
        (void)hil_check_unpack(body, &start);
        break;
    case HIL_FRAME_REPLY:
        take_reply(body);
        break;
    default:
        take_chunk(input, body);
        break;
    }
    release(bytes, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_t fuzz = {data, size};
    hil_span_t *const spans = exactly(SPANS * sizeof(hil_span_t));
    input_t input = {.coverage = {spans, SPANS}};
    while (fuzz.left != 0U) {
        read_or_write(&input, &fuzz);
    }
    release(spans, SPANS * sizeof(hil_span_t));
    return 0;
}
