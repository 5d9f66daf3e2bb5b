#include "stand_in_board.h"

#include <setjmp.h>

#include "board.h"
#include "frame.h"
#include "hil_wire.h"
#include "plain_frame.h"
#include "stand_in_server.h"
#include "transport.h"

int hil_firmware_main(void);

#define CLOCK_HZ      216000000U
#define MS_CYCLES     (CLOCK_HZ / 1000U)
#define WATCHDOG_MS   2800U /* the shortest of board/stm32f746/watchdog.c */
#define BEYOND        257U  /* a conversation's first number, of the last one's */
#define HELLO_MS      5000U /* so long after the script's end the firmware has answered a HELLO */
#define SCRIPT_MS     60000U
#define LONG_SLEEP_MS 50U

/* One step of the script is a byte and what it says. */
enum { RAW, FRAME, WAIT, ACK, NAK, DAMAGED_FRAME, RECEIVED_AGAIN, BIT_FLIP, STEPS };

static struct {
    fuzz_t script;
    jmp_buf over;
    uint64_t cycles, kicked, wait_until, arrival, ended;
    uint32_t baud, baud_before;
    uint16_t host_sequence, device_sequence; /* of the newest frame each way */
    uint8_t incoming[4U * HIL_ENCODED_MAX];
    uint32_t begin, end;
    /* What has left the firmware since the last zero. */
    uint8_t line[HIL_ENCODED_MAX];
    uint32_t line_bytes;
    /* The frame that is leaving: where it lies, how it was, and when it will have left. */
    const uint8_t *leaving;
    uint8_t was[HIL_ENCODED_MAX];
    uint32_t leaving_bytes;
    uint64_t left;
    bool spoken; /* the firmware has said anything but STARTED */
    bool ending, capable;
    hil_checked_t checked; /* latest */
    uint8_t integrity;     /* what a check would find */
} board;

static void check_left(void) {
    if (board.leaving != NULL) {
        REQUIRE(memcmp(board.leaving, board.was, board.leaving_bytes) == 0);
        board.leaving = NULL;
    }
}

/* Time passes at every call, so that a loop which waits for something ends. */
static void pass(uint64_t cycles) {
    board.cycles += cycles;
    if (board.leaving != NULL && board.cycles >= board.left) {
        check_left();
    }
    REQUIRE(board.cycles - board.kicked < (uint64_t)WATCHDOG_MS * MS_CYCLES);
}

static void arrive(const uint8_t *bytes, uint32_t count) {
    if (board.begin == board.end) {
        board.begin = board.end = 0;
    }
    const uint32_t room = sizeof board.incoming - board.end;
    count = count < room ? count : room;
    if (count != 0U) {
        memcpy(board.incoming + board.end, bytes, count);
    }
    board.end += count;
    board.arrival = board.cycles;
}

static void arrive_frame(uint8_t kind, uint16_t sequence, const uint8_t *body, uint32_t count,
                         uint32_t damage) {
    uint8_t out[HIL_ENCODED_MAX];
    const uint32_t encoded =
        hil_frame_encode(kind, sequence, (hil_bytes_t){body, count}, (hil_bytes_t){NULL, 0}, out);
    if (damage != 0U) {
        out[damage % encoded] ^= (uint8_t)(1U << damage % 7U);
    }
    arrive(out, encoded);
}

static void step_frame(bool damaged) {
    const uint8_t kind = fuzz8(&board.script), how = fuzz8(&board.script);
    const uint32_t most = (how & 1U) != 0U ? fuzz16(&board.script) : fuzz8(&board.script);
    size_t count;
    uint8_t *const body = fuzz_bytes(&board.script, most % (HIL_BODY_MAX + 1U), &count);
    if (kind == HIL_FRAME_HELLO) {
        board.host_sequence += BEYOND;
    }
    uint8_t sent[HIL_BODY_MAX];
    memcpy(sent, body, count);
    if (kind == HIL_FRAME_CONFIGURE) {
        server_hears_configure(sent, (uint32_t)count);
    }
    const bool authentic = kind == HIL_FRAME_REPLY && (how & 8U) != 0U;
    const server_hearing_t hearing = {.part = (how & 16U) != 0U, .misheard = (how & 32U) != 0U};
    const uint32_t bytes =
        authentic ? server_signs(sent, (uint32_t)count, hearing) : (uint32_t)count;
    board.host_sequence += (how & 2U) == 0U; /* or the same again */
    const uint16_t sequence = (how & 4U) != 0U ? fuzz16(&board.script) : board.host_sequence;
    arrive_frame(kind, sequence, sent, bytes, damaged ? 1U + fuzz16(&board.script) : 0U);
    release(body, count);
}

/* Up to 254 ms, finer where it is short. */
static uint64_t wait_cycles(uint32_t how_long) {
    return (uint64_t)how_long * how_long * (MS_CYCLES / 256U);
}

/* Whatever the script says next. */
static void step(void) {
    size_t count;
    uint8_t *bytes;
    const uint8_t what = fuzz8(&board.script);
    switch (what % STEPS) {
    case RAW:
        bytes = fuzz_bytes(&board.script, fuzz8(&board.script), &count);
        arrive(bytes, (uint32_t)count);
        release(bytes, count);
        break;
    case FRAME:
        step_frame(false);
        break;
    case DAMAGED_FRAME:
        step_frame(true);
        break;
    case WAIT:
        board.wait_until = board.cycles + wait_cycles(fuzz8(&board.script));
        break;
    case NAK:
        arrive_frame(HIL_FRAME_NAK, fuzz16(&board.script), (const uint8_t[]){HIL_NAK_CRC}, 1, 0);
        break;
    case RECEIVED_AGAIN:
        arrive_frame(HIL_FRAME_ACK, fuzz16(&board.script), NULL, 0, 0);
        break;
    case BIT_FLIP:
        board.integrity = HIL_INTEGRITY_FLASH;
        break;
    default:
        arrive_frame(HIL_FRAME_ACK, board.device_sequence, NULL, 0, 0);
        break;
    }
}

static uint16_t last_hello(void) {
    return (uint16_t)(board.host_sequence + BEYOND);
}

static void say_hello(void) {
    const uint8_t version[2] = {HIL_PROTOCOL_VERSION & 0xFFU, HIL_PROTOCOL_VERSION >> 8};
    arrive_frame(HIL_FRAME_HELLO, last_hello(), version, sizeof version, 0);
    board.wait_until = board.cycles + (uint64_t)HIL_RETRANSMIT_MS * MS_CYCLES;
}

/* Called where nothing has arrived that was not read: the script goes on, and after it the host,
 * until it is answered. At 9600 baud an answer takes longer than the host waits with the next
 * HELLO. */
static void go_on(void) {
    if (board.capable) {
        longjmp(board.over, 1);
    }
    if (board.cycles < board.wait_until) {
        return;
    }
    if (!board.ending && board.script.left != 0U &&
        board.cycles < (uint64_t)SCRIPT_MS * MS_CYCLES) {
        step();
        return;
    }
    if (!board.ending) {
        board.ending = true;
        board.ended = board.cycles;
    }
    REQUIRE(board.cycles - board.ended < (uint64_t)HELLO_MS * MS_CYCLES);
    say_hello();
}

/* What the firmware sent is a frame, of a device's kind, and fits its layout. */
static void receive(void) {
    const plain_frame_t frame = plain_decode(board.line, board.line_bytes);
    REQUIRE(frame.reason == 0U && frame.version == HIL_PROTOCOL_VERSION);
    if (frame.kind == HIL_FRAME_ACK || frame.kind == HIL_FRAME_NAK) {
        REQUIRE(frame.count == (frame.kind == HIL_FRAME_NAK));
        return;
    }
    board.device_sequence = frame.sequence;
    const uint8_t *const body = plain_body(&frame);
    server_hears(&frame);
    switch (frame.kind) {
    case HIL_FRAME_CAPABILITY:
        REQUIRE(frame.count == HIL_CAPABILITY_LAYOUT_BYTES);
        board.capable = board.ending && frame.sequence == last_hello();
        break;
    case HIL_FRAME_STARTED:
        REQUIRE(frame.count == HIL_STARTED_LAYOUT_BYTES && body[0] == HIL_RESET_PIN);
        REQUIRE(!board.spoken);
        break;
    case HIL_FRAME_PAYLOAD:
        REQUIRE(frame.count > HIL_PAYLOAD_LAYOUT_BYTES);
        REQUIRE(hil_get32(body + 4) == 0U ||
                hil_get32(body + 8) + frame.count - HIL_PAYLOAD_LAYOUT_BYTES <=
                    hil_get32(body + 4));
        break;
    case HIL_FRAME_RESULT:
        REQUIRE(frame.count >= HIL_RESULT_LAYOUT_BYTES && body[4] <= HIL_OUTCOME_FAILED);
        REQUIRE(board.checked.integrity == HIL_INTEGRITY_SOUND);
        REQUIRE(body[4] != HIL_OUTCOME_ANSWERED || server_answered(hil_get32(body)));
        break;
    case HIL_FRAME_CHECKED:
        REQUIRE(frame.count == HIL_CHECKED_LAYOUT_BYTES && body[0] == board.checked.integrity);
        break;
    case HIL_FRAME_LAYERS:
        REQUIRE(frame.count == HIL_LAYERS_LAYOUT_BYTES + 4U * hil_get16(body + 4));
        break;
    default:
        REQUIRE(frame.kind == HIL_FRAME_REJECT && frame.count == HIL_REJECT_LAYOUT_BYTES);
        REQUIRE(body[1] >= HIL_REJECT_VERSION);
        break;
    }
    board.spoken |= frame.kind != HIL_FRAME_STARTED;
    if (board.ending) {
        arrive_frame(HIL_FRAME_ACK, frame.sequence, NULL, 0, 0);
    }
}

static void take_line(const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (bytes[i] != 0U) {
            REQUIRE(board.line_bytes < sizeof board.line);
            board.line[board.line_bytes++] = bytes[i];
        } else if (board.line_bytes != 0U) {
            receive();
            board.line_bytes = 0;
        }
    }
}

void hil_uart_write(const uint8_t *bytes, uint32_t count) {
    pass(500);
    take_line(bytes, count);
}

void hil_uart_send(const uint8_t *bytes, uint32_t count) {
    pass(500);
    if (board.leaving != NULL) {
        return;
    }
    REQUIRE(count <= sizeof board.was);
    memcpy(board.was, bytes, count);
    board.leaving = bytes;
    board.leaving_bytes = count;
    board.left = board.cycles + (uint64_t)count * 10U * CLOCK_HZ / board.baud;
    take_line(bytes, count);
}

void hil_uart_await_sent(void) {
    hil_watchdog_kick();
    check_left();
    if (board.left > board.cycles) {
        pass(board.left - board.cycles);
    }
}

uint32_t hil_uart_read(uint8_t *bytes, uint32_t capacity) {
    pass(300);
    if (board.begin == board.end) {
        go_on();
    }
    uint32_t count = 0;
    while (count < capacity && board.begin != board.end) {
        bytes[count++] = board.incoming[board.begin++];
    }
    return count;
}

void hil_sleep(void) {
    if (board.begin == board.end) {
        pass(MS_CYCLES - board.cycles % MS_CYCLES);
    }
}

/* As long as the board's own does (board/stm32f746/tick.c). */
void hil_sleep_long(void) {
    for (uint32_t ms = 0; ms < LONG_SLEEP_MS && board.begin == board.end; ms++) {
        hil_sleep();
    }
}

uint32_t hil_uart_arrival(void) {
    return (uint32_t)board.arrival;
}

bool hil_uart_can(uint32_t baud) {
    return baud >= 9600U && baud <= CLOCK_HZ / 8U;
}

uint32_t hil_uart_baud(void) {
    return board.baud;
}

uint32_t hil_uart_baud_before(void) {
    return board.baud_before;
}

uint32_t hil_uart_baud_max(void) {
    return CLOCK_HZ / 8U;
}

void hil_uart_change(uint32_t baud) {
    hil_uart_await_sent();
    board.baud = baud;
}

uint32_t hil_clock_hz(void) {
    return CLOCK_HZ;
}

uint32_t hil_cycles(void) {
    pass(100);
    return (uint32_t)board.cycles;
}

uint32_t hil_tick_ms(void) {
    pass(100);
    return (uint32_t)(board.cycles / MS_CYCLES);
}

void hil_watchdog_kick(void) {
    board.kicked = board.cycles;
}

void hil_board_start(void) {
}

void hil_led_update(void) {
}

uint8_t hil_reset_cause(void) {
    return HIL_RESET_PIN;
}

hil_checked_t hil_integrity_check(uint32_t start) {
    pass(2U * MS_CYCLES);
    const hil_checked_t found = {board.integrity, start, 30000, 2U * MS_CYCLES};
    board.checked = found;
    return found;
}

const hil_checked_t *hil_integrity(void) {
    return &board.checked;
}

static bool random_works;

void stand_in_random(bool works) {
    random_works = works;
}

bool hil_random(uint32_t *words, uint32_t count) {
    memset(words, 0x5A, random_works ? 4U * count : 0U);
    return random_works;
}

void hil_unique_id(uint32_t words[3]) {
    memset(words, 0xA5, 12);
}

uint32_t hil_stack_peak(void) {
    return 1000;
}

void stand_in_run(fuzz_t script, uint32_t baud_before) {
    memset(&board, 0, sizeof board);
    board.script = script;
    board.baud = HIL_BOOT_BAUD;
    board.baud_before = baud_before;
    if (setjmp(board.over) == 0) {
        (void)hil_firmware_main();
    }
}
