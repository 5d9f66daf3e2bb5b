#include <string.h>

#include "board.h"
#include "crc32.h"
#include "stm32f7xx.h"

extern const uint8_t __hil_flash_start[], __hil_seal[];
extern const uint8_t __hil_itcm_start[], __hil_itcm_end[], __hil_itcm_load[];

/* Filled in by hil.deploy.seal. The range is the linker's: it is here for whoever has the image
 * alone, and a wrong one leads no check astray. */
__attribute__((section(".hil_seal"), used)) static const volatile struct {
    uint32_t begin, end, crc;
} seal = {0, 0, 0};

static hil_checked_t latest;

static uint8_t judge(uint32_t crc) {
    if (seal.begin != (uint32_t)__hil_flash_start || seal.end != (uint32_t)__hil_seal) {
        return HIL_INTEGRITY_UNSEALED;
    }
    return seal.crc == crc ? HIL_INTEGRITY_SOUND : HIL_INTEGRITY_FLASH;
}

hil_checked_t hil_integrity_check(uint32_t start) {
    const uint32_t begun = hil_cycles();
    SCB_CleanInvalidateDCache(); /* what flash holds now counts, not what was read of it before */
    hil_checked_t found = {.covered_bytes = (uint32_t)(__hil_seal - __hil_flash_start)};
    found.crc = hil_crc32(start, __hil_flash_start, found.covered_bytes);
    found.integrity = start == 0U ? judge(found.crc) : (uint8_t)HIL_INTEGRITY_SOUND;
    if (found.integrity == HIL_INTEGRITY_SOUND &&
        memcmp(__hil_itcm_start, __hil_itcm_load, (size_t)(__hil_itcm_end - __hil_itcm_start)) !=
            0) {
        found.integrity = HIL_INTEGRITY_COPY;
    }
    found.cycles = hil_cycles() - begun;
    if (start == 0U || found.integrity != HIL_INTEGRITY_SOUND) {
        latest = found;
    }
    return found;
}

void hil_integrity_start(void) {
    (void)hil_integrity_check(0);
}

const hil_checked_t *hil_integrity(void) {
    return &latest;
}
