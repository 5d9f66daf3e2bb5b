/* The portable part of the firmware behind a pipe: a request is a command
 * letter, a 32-bit length and so many bytes; the answer is a 32-bit length and
 * so many bytes. Every buffer is allocated at its exact size, so the address
 * sanitiser sees the first byte too many. */
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "commands.h"
#include "messages.h"

static command_t *const commands[256] = {
    ['A'] = verify,
    ['B'] = hash,
    ['C'] = cover,
    ['D'] = decode_stream,
    ['E'] = encode_frame,
    ['F'] = fuse,
    ['G'] = pack_capability,
    ['H'] = frame_fault,
    ['L'] = lzw_encode,
    ['N'] = unpack,
    ['P'] = encode_payload,
    ['Q'] = quantise,
    ['R'] = pack_result,
    ['T'] = drive_transport,
    ['U'] = lzw_decode,
    ['X'] = decide_exit,
    ['Y'] = pack_layers,
    ['c'] = clamp,
    ['p'] = pad,
    ['s'] = slice_channels,
};

int main(void) {
    uint8_t head[5];
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        const uint32_t count = hil_get32(head + 1);
        uint8_t *const bytes = malloc(count + 1);
        if (fread(bytes, 1, count, stdin) != count) {
            free(bytes);
            break;
        }
        answer.count = 0;
        commands[head[0]](bytes, count);
        uint8_t size[4];
        (void)hil_put32(size, answer.count);
        fwrite(size, 1, sizeof size, stdout);
        if (answer.count != 0U) { /* before the first answer there are no bytes at all */
            fwrite(answer.bytes, 1, answer.count, stdout);
        }
        fflush(stdout);
        free(bytes);
    }
    free(answer.bytes);
    return 0;
}
