/* The server half's part in authentic replies: it knows the device's key, where the device has one.
 */
#ifndef HIL_STAND_IN_SERVER_H
#define HIL_STAND_IN_SERVER_H

#include <stdbool.h>

#include "plain_frame.h"

/* Gives the device a key, or none. */
void server_begin(bool keyed);

/* What the device, and the host, sent. */
void server_hears(const plain_frame_t *frame);
void server_hears_configure(const uint8_t *body, uint32_t count);

typedef struct {
    bool part;     /* only some of the payload's first bytes are answered */
    bool misheard; /* the payload was altered on its way */
} server_hearing_t;

/* Puts the tag behind the reply of `count` bytes, for the latest exchange and what was heard of its
 * payload; returns the bytes. */
uint32_t server_signs(uint8_t *body, uint32_t count, server_hearing_t hearing);

/* Whether the device may say that it was answered: there was an authentic reply to that exchange,
 * and to its payload. */
bool server_answered(uint32_t sample);

#endif
