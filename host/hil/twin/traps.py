"""Instructions that fault on an address or a divisor (ARMv7-M ARM A3.2.1, B3.2.8).

Unicorn lets LDM, STM, LDRD, STRD, VLDR and VSTR pass unaligned, divides by zero, and does not know
CCR.UNALIGN_TRP. Checking costs nothing where a block's base registers come from before it: the block
hook looks at them at its entry. Where the block computes the base itself, and for divisions while
CCR.DIV_0_TRP is set, the single instruction gets a hook. Instructions in an IT block are not checked.
Mirrored in `native/traps.h` and `native/traps.c`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntFlag

SP, PC = 13, 15

Register = Callable[[int], int]


class Trap(IntFlag):
    """What CCR asks to trap."""

    DIVIDE = 1
    UNALIGNED = 2


def halfwords(code: bytes) -> Iterator[tuple[int, int, int]]:
    """Offset, first and second halfword (0 in a narrow one) of each instruction."""
    at = 0
    while at + 1 < len(code):
        first = code[at] | code[at + 1] << 8
        wide = first >= 0xE800
        yield at, first, int.from_bytes(code[at + 2 : at + 4], "little") if wide else 0
        at += 4 if wide else 2


def conditional_after(first: int) -> int:
    """How many instructions an IT makes conditional, 0 for any other instruction."""
    if first & 0xFF00 != 0xBF00 or not first & 0xF:
        return 0
    return 4 - ((first & -first).bit_length() - 1)


def aligned_base(first: int, second: int) -> int | None:
    """The register that must be word-aligned whatever CCR says; SP and PC always are."""
    if first & 0xF000 == 0xC000:
        return first >> 8 & 7
    multiple = first & 0xFE40 == 0xE800
    double = first & 0xFE40 == 0xE840 and first & 0x0120
    # P, U or W set: otherwise a move of two core registers.
    fp = first & 0xFE00 == 0xEC00 and second & 0x0E00 == 0x0A00 and first & 0x01A0
    base = first & 15
    return base if (multiple or double or fp) and base not in (SP, PC) else None


def is_divide(first: int, second: int) -> bool:
    """SDIV or UDIV; the divisor is in the lowest four bits of the second halfword."""
    return first & 0xFFD0 == 0xFB90 and second & 0x00F0 == 0x00F0


def written_by(first: int, second: int) -> int:
    """The core registers an instruction writes, as bits, without writeback of whole words."""
    return _written_by_narrow(first) if first < 0xE800 else _written_by_wide(first, second)


def _written_by_narrow(first: int) -> int:
    low, middle = 1 << (first & 7), 1 << (first >> 8 & 7)
    group = first >> 12
    if group in (0x0, 0x1):
        return low
    if group in (0x3, 0xA) or (group == 0x2 and not first & 0x0800) or (group == 0x4 and first >= 0x4800):
        return middle
    if group == 0x4:
        if first >= 0x4400:
            return 0 if first & 0x0300 == 0x0100 else 1 << ((first & 7) | (first >> 4 & 8))
        return low
    if group == 0x5:
        return 0 if first >> 9 & 7 < 3 else low
    if group in (0x6, 0x7, 0x8, 0x9) and first & 0x0800:
        return middle if group == 0x9 else low
    if group == 0xB:
        if first & 0xFE00 == 0xBC00:
            return first & 0xFF
        return low if first & 0xFF00 in (0xB200, 0xBA00) else 0
    return first & 0xFF if group == 0xC and first & 0x0800 else 0


def _written_by_wide(first: int, second: int) -> int:
    d, t, n = 1 << (second >> 8 & 15), 1 << (second >> 12), 1 << (first & 15)
    load = first & 0x0010
    if first & 0xFE40 == 0xE800:
        return second if load else 0
    if first & 0xFE40 == 0xE840:
        return t | d if load else 0 if first & 0x0120 else d | 1 << (second & 15)
    if first & 0xFE00 == 0xEC00:
        return t | n
    if first & 0xFF00 == 0xEE00:
        return t
    if first & 0xFE00 == 0xF800:
        back = not first & 0x0080 and second & 0x0900 == 0x0900
        return (t if load else 0) | (n if back else 0)
    return d | t if first & 0xFF80 == 0xFB80 else d


def places(code: bytes, traps: int) -> list[int]:
    """Offsets of a block's instructions that need a hook of their own."""
    found: list[int] = []
    written = conditional = 0
    for at, first, second in halfwords(code):
        base = aligned_base(first, second)
        divides = traps & Trap.DIVIDE and is_divide(first, second)
        if not conditional and (divides or (base is not None and written >> base & 1)):
            found.append(at)
        conditional = max(conditional - 1, conditional_after(first))
        written |= written_by(first, second)
    return found


def violation(first: int, second: int, register: Register, traps: int) -> Trap | None:
    """What an instruction is about to do wrong, with the registers before it."""
    base = aligned_base(first, second)
    if base is not None:
        return Trap.UNALIGNED if register(base) & 3 else None
    if is_divide(first, second):
        return Trap.DIVIDE if traps & Trap.DIVIDE and not register(second & 15) else None
    if traps & Trap.UNALIGNED:
        size, address = _single(first, second, register)
        return Trap.UNALIGNED if address & (size - 1) else None
    return None


def _single(first: int, second: int, register: Register) -> tuple[int, int]:
    """Bytes and address of a load or store of one register; (1, 0) of what is none."""
    if first < 0xE800:
        return _single_narrow(first, register)
    if first & 0xFE00 != 0xF800 or not first & 0x0060 or first & 15 == PC:
        return 1, 0
    size, base = 4 if first & 0x0040 else 2, register(first & 15)
    if first & 0x0080:
        return size, base + (second & 0xFFF)
    if not second & 0x0800:
        return size, base + (register(second & 15) << (second >> 4 & 3))
    if not second & 0x0400:
        return size, base
    return size, base + (second & 0xFF) * (1 if second & 0x0200 else -1)


def _single_narrow(first: int, register: Register) -> tuple[int, int]:
    group, base = first >> 12, first >> 3 & 7
    operation = first >> 9 & 7
    if group == 0x5 and operation not in (2, 3, 6):
        return 2 if operation & 1 else 4, register(base) + register(first >> 6 & 7)
    if group == 0x6:
        return 4, register(base) + (first >> 4 & 0x7C)
    if group == 0x8:
        return 2, register(base) + (first >> 5 & 0x3E)
    return 1, 0
