/* What a command answers, and copies of exactly the size of what they hold. */
#include "answer.h"

#include <stdlib.h>
#include <string.h>

#include "messages.h"

text_t answer;

void say(const void *bytes, uint32_t count) {
    while (answer.count + count > answer.room) {
        answer.room = 2 * answer.room + count;
        answer.bytes = realloc(answer.bytes, answer.room);
    }
    if (count != 0) {
        memcpy(answer.bytes + answer.count, bytes, count);
    }
    answer.count += count;
}

void say32(uint32_t value) {
    uint8_t bytes[4];
    (void)hil_put32(bytes, value);
    say(bytes, sizeof bytes);
}

void *copy(const void *bytes, size_t count) {
    void *const made = malloc(count == 0 ? 1 : count);
    if (count != 0) {
        memcpy(made, bytes, count);
    }
    return made;
}
