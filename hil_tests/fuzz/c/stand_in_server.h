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

/* Puts the tag behind the reply of `count` bytes, for the latest exchange; returns the bytes. */
uint32_t server_signs(uint8_t *body, uint32_t count);

/* Whether the device may say that it was answered: there was an authentic reply to that exchange.
 */
bool server_answered(uint32_t sample);

#endif
