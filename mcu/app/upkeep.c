#include "upkeep.h"

#include "board.h"
#include "transport.h"

/* So long after a change damage says nothing: the host may not have followed yet. Shorter than the
 * time between two repetitions, of which each has to find its own rate. */
#define SETTLE_MS (HIL_RETRANSMIT_MS / 2U)

static struct {
    uint32_t wanted, former; /* the rate asked for, the one before it; 0: nothing is on trial */
    uint32_t changed_ms;
    uint32_t intact, damaged; /* frames up to the change */
} trial;

static void change(uint32_t baud) {
    hil_uart_change(baud);
    trial.changed_ms = hil_tick_ms();
    trial.intact = hil_transport_intact();
    trial.damaged = hil_transport_damaged();
}

void hil_upkeep_change_baud(uint32_t baud) {
    if (baud != hil_uart_baud()) {
        trial.wanted = baud;
        trial.former = hil_uart_baud();
        change(baud);
    }
}

static void judge_baud(void) {
    if (trial.wanted == 0U) {
        return;
    }
    const bool at_wanted = hil_uart_baud() == trial.wanted;
    if (hil_transport_intact() != trial.intact) {
        if (at_wanted) {
            trial.wanted = 0; /* confirmed */
        } else {
            change(trial.wanted); /* the host repeated CONFIGURE, and now has its answer */
        }
    } else if (hil_tick_ms() - trial.changed_ms < SETTLE_MS) {
        trial.damaged = hil_transport_damaged();
    } else if (hil_transport_damaged() != trial.damaged) {
        change(at_wanted ? trial.former : trial.wanted);
    }
}

bool hil_upkeep_settled(void) {
    return trial.wanted == 0U;
}

void hil_upkeep(void) {
    static uint32_t last_ms = UINT32_MAX;
    const uint32_t now_ms = hil_tick_ms();
    judge_baud();
    if (now_ms != last_ms) {
        last_ms = now_ms;
        hil_watchdog_kick();
        hil_led_update();
    }
}
