/* The transport, one call at a time. */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "frame.h"
#include "messages.h"
#include "transport.h"
#include "uart.h"

/* So many messages, each acknowledged at once: sequence numbers count on. */
static void skip_messages(uint32_t count) {
    const hil_bytes_t nothing = {NULL, 0};
    for (uint32_t i = 1; i <= count; i++) {
        uint8_t ack[16];
        (void)hil_transport_begin(HIL_FRAME_RESULT, nothing, nothing);
        const uint32_t size = hil_frame_encode(HIL_FRAME_ACK, (uint16_t)i, nothing, nothing, ack);
        incoming = (text_t){ack, size, 0};
        (void)hil_transport_poll();
        answer.count = 0;
    }
}

/* One call of the transport: 'r' bytes that arrive, 't' milliseconds that pass, 'b' a frame to
 * begin, 'm' one whose body is made in the transport's own memory, 'd' the inbox to drop, 's' a
 * number of messages to skip, 'c' to cancel. The answer: state, the inbox and what was written.
 */
void drive_transport(const uint8_t *bytes, uint32_t count) {
    answer.count = 0;
    switch (bytes[0]) {
    case 'r':
        incoming = (text_t){(uint8_t *)(uintptr_t)(bytes + 1), count - 1, 0};
        break;
    case 't':
        now_ms += hil_get32(bytes + 1);
        break;
    case 'b':
        (void)hil_transport_begin(bytes[1], (hil_bytes_t){bytes + 2, count - 2},
                                  (hil_bytes_t){NULL, 0});
        break;
    case 'm':
        memcpy(hil_transport_body(), bytes + 2, count - 2);
        (void)hil_transport_begin(bytes[1], (hil_bytes_t){hil_transport_body(), count - 2},
                                  (hil_bytes_t){NULL, 0});
        break;
    case 'd':
        hil_transport_drop();
        break;
    case 's':
        skip_messages(hil_get32(bytes + 1));
        break;
    default:
        hil_transport_cancel();
        break;
    }
    uint8_t state;
    do {
        state = (uint8_t)hil_transport_poll();
    } while (incoming.count != 0);
    text_t written = answer;
    answer = (text_t){NULL, 0, 0};
    const hil_message_t *const message = hil_transport_peek();
    const uint8_t inbox[] = {state, message != NULL, message != NULL ? message->kind : 0};
    say(inbox, sizeof inbox);
    say32(message != NULL ? message->body.count : 0);
    if (message != NULL) {
        say(message->body.at, message->body.count);
    }
    say(written.bytes, written.count);
    free(written.bytes);
}
