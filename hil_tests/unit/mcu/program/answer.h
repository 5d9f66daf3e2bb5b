/* What a command answers, and copies of exactly the size of what they hold. */
#ifndef ANSWER_H
#define ANSWER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *bytes;
    uint32_t count, room;
} text_t;

extern text_t answer;

void say(const void *bytes, uint32_t count);
void say32(uint32_t value);

/* To be freed; the address sanitiser sees the first byte too many. */
void *copy(const void *bytes, size_t count);

#endif
