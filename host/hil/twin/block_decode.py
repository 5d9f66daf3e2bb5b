"""The first look at a block's code, as the Python hook takes it. Mirrored in `native/core.h`."""

from __future__ import annotations

from hil.twin import traps

BLOCK_FP = 1
BLOCK_SEV = 2
BLOCK_CONTROL = 16
BLOCK_PLACES = 32
BLOCK_DIVIDE = 64
BLOCK_BASES = 16


def decode_block(code: bytes) -> tuple[int, int]:
    """Instructions in a block of Thumb code, and its flags; see `native/core.h`.

    An instruction is 32 bits long when its first halfword starts with 0b11101, 0b11110 or 0b11111
    (ARMv7-M ARM A5.1).
    """
    instructions = flags = written = conditional = 0
    for _, first, second in traps.halfwords(code):
        if first & 0xEC00 == 0xEC00 and second & 0x0E00 == 0x0A00:
            flags |= BLOCK_FP
        elif first & 0xFFF0 == 0xF380 and second & 0xF0FF == 0x8014:
            flags |= BLOCK_CONTROL
        elif first == 0xBF40:
            flags |= BLOCK_SEV
        if not conditional:
            base = traps.aligned_base(first, second)
            if base is not None:
                flags |= BLOCK_PLACES if written >> base & 1 else 1 << (BLOCK_BASES + base)
            flags |= BLOCK_DIVIDE if traps.is_divide(first, second) else 0
        conditional = max(conditional - 1, traps.conditional_after(first))
        written |= traps.written_by(first, second)
        instructions += 1
    return instructions, flags
