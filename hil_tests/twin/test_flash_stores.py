"""Every way the core can store, tried on flash: exact bits, exact width, and the program goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.twin import Twin, load_image

pytestmark = pytest.mark.twin

BASE = 0x080C_0000
SPAN = 0x100
PGAERR, PGPERR, ERSERR = 0x20, 0x40, 0x80


@dataclass(frozen=True)
class Store:
    """An instruction that stores r1 (and r2) at r0, how wide each access is and what it adds to r0."""

    text: str
    widths: tuple[int, ...]
    moves: int = 0
    offset: int = 0


STORES = (
    Store("strb r1, [r0]", (1,)),
    Store("strb r1, [r0], #1", (1,), 1),
    Store("strh r1, [r0]", (2,)),
    Store("strh r1, [r0, #2]!", (2,), 2, 2),
    Store("str r1, [r0]", (4,)),
    Store("str r1, [r0], #4", (4,), 4),
    Store("str r1, [r0, #-4]!", (4,), -4, -4),
    Store("str r1, [r0, r3, lsl #2]", (4,), 0, 12),
    Store("strd r1, r2, [r0]", (4, 4)),
    Store("strd r1, r2, [r0], #8", (4, 4), 8),
    Store("stmia r0!, {r1, r2}", (4, 4), 8),
    Store("stmdb r0!, {r1, r2}", (4, 4), -8, -8),
    Store("vmov s0, r1\n vstr s0, [r0, #8]", (4,), 0, 8),
    Store("vmov d0, r1, r2\n vstmia r0!, {s0, s1}", (4, 4), 8),
)


def _function(number: int, store: Store, section: str) -> str:
    return f"""
        __attribute__((naked, used{section})) void store_{section and "ram"}{number}(void) {{
            ASM("movs r3, #3\\n {store.text.replace(chr(10), chr(92) + "n")}\\n bx lr"); }}
    """


@pytest.fixture(scope="module")
def twin(build: Callable[[str], Path]) -> Iterator[Twin]:
    source = "void main(void) {}\n"
    for number, store in enumerate(STORES):
        source += _function(number, store, "") + _function(number, store, ', section(".ramcode")')
    source += """
        void prepare(uint32_t control) {
            if (REG(0x40023C10) >> 31) { REG(0x40023C04) = 0x45670123; REG(0x40023C04) = 0xCDEF89AB; }
            REG(0x40023C0C) = 0xF3; REG(0x40023C10) = control; }
        uint32_t ended(void) { while (REG(0x40023C0C) & 1 << 16) {} return REG(0x40023C0C); }
    """
    made = Twin(load_image(build(source)))
    yield made
    made.close()


def expected(
    old: bytes, store: Store, address: int, values: tuple[int, int], psize: int
) -> tuple[bytes, int]:
    """What is in flash from `BASE` on, and FLASH_SR, after one store that is allowed to program."""
    cells, flags = bytearray(old), 0
    at = address + store.offset - BASE
    accesses = [(at + sum(store.widths[:i]), width) for i, width in enumerate(store.widths)]
    data = b"".join(v.to_bytes(4, "little")[:w] for v, w in zip(values, store.widths, strict=False))
    if psize == 8 and len(store.widths) == 2 and at % 8 == 0:
        accesses = [(at, 8)]
    taken = 0
    for place, width in accesses:
        piece, taken = data[taken : taken + width], taken + width
        if place % 16 + width > 16:
            flags |= PGAERR
        elif width != psize or place % width:
            flags |= PGPERR
        else:
            for i, byte in enumerate(piece):
                cells[place + i] &= byte
    return bytes(cells), flags


word = st.integers(0, 0xFFFF_FFFF)


@settings(max_examples=250, deadline=None)
@given(
    number=st.integers(0, len(STORES) - 1),
    in_ram=st.booleans(),
    place=st.integers(16, SPAN - 32),
    aligned=st.booleans(),
    values=st.tuples(word, word),
    size_code=st.sampled_from([0, 1, 2, 2, 2, 3]),
    old=st.binary(min_size=SPAN, max_size=SPAN),
)
def test_a_store_programs_exactly_what_it_stores(
    twin: Twin,
    number: int,
    in_ram: bool,
    place: int,
    aligned: bool,
    values: tuple[int, int],
    size_code: int,
    old: bytes,
) -> None:
    store = STORES[number]
    alignable = len(store.widths) == 1 and not store.text.startswith("v")
    # Only single loads and stores may be unaligned (ARMv7-M ARM A3.2.1).
    address = BASE + (place & ~7 if aligned else place if alignable else place & ~3)
    twin.write(BASE, old)
    twin.call("prepare", size_code << 8 | 1)
    name = f"store_{'ram' if in_ram else ''}{number}"
    returned = twin.call(name, address, *values)
    flags = twin.call("ended")
    assert returned == address + store.moves
    cells, errors = expected(old, store, address, values, 1 << size_code)
    assert twin.read(BASE, SPAN) == cells
    assert twin.read(BASE - 0x08000000 + 0x00200000, SPAN) == cells
    assert flags == errors


@settings(max_examples=40, deadline=None)
@given(number=st.integers(0, len(STORES) - 1), old=st.binary(min_size=SPAN, max_size=SPAN), value=word)
def test_a_store_without_pg_changes_nothing(twin: Twin, number: int, old: bytes, value: int) -> None:
    twin.write(BASE, old)
    twin.call("prepare", 2 << 8)
    assert twin.call(f"store_{number}", BASE + 64, value, value) == BASE + 64 + STORES[number].moves
    assert twin.call("ended") == ERSERR | (0 if set(STORES[number].widths) == {4} else PGPERR)
    assert twin.read(BASE, SPAN) == old
