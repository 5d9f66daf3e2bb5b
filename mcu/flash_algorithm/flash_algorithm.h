/*
 * What a debug probe calls to erase and program the flash: the interface that CMSIS packs and pyOCD
 * agree on, hence the names. A probe loads the code into RAM, sets the stack and calls one function
 * at a time; each returns 0 when all went well, 1 otherwise.
 */
#ifndef FLASH_ALGORITHM_H
#define FLASH_ALGORITHM_H

#include <stdint.h>

/* What the probe is about to do, as it tells Init and UnInit. */
#define FUNCTION_ERASE   1u
#define FUNCTION_PROGRAM 2u
#define FUNCTION_VERIFY  3u

int Init(uint32_t address, uint32_t clock_hz, uint32_t function);
int UnInit(uint32_t function);
int EraseChip(void);
int EraseSector(uint32_t address);
int ProgramPage(uint32_t address, uint32_t size, const uint8_t *buffer);

/* Returns address + size when flash holds the buffer, else the address of the first difference. */
uint32_t Verify(uint32_t address, uint32_t size, const uint8_t *buffer);

#endif
