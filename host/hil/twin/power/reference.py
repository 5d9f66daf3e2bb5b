"""How many instructions a cycle ordinary code executes, with and without caches.

The data sheet's currents were measured with code that it does not print. This stands for it: a loop of
the kind that Dhrystone made usual, with strings, records, small calls, a switch and a division.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from hil.errors import BuildError
from hil.twin.timing.calibration.build import FLAGS, LINK, SETUP
from hil.twin.timing.calibration.measure import CACHES_ON, prepared
from hil.twin.timing.model import Timing

SOURCE = r"""
typedef struct record { struct record *next; int kind, choice, value; char text[32]; } record;
static record one, other;
static int table[50], grid[50][8];

static int same(const char *a, const char *b)
{
    while (*a && *a == *b) { a++; b++; }
    return *a == *b;
}

static void copy(char *to, const char *from)
{
    while ((*to++ = *from++)) {}
}

static __attribute__((noinline)) int grade(int value, int limit)
{
    switch (value % 5) {
    case 0: return limit + 10;
    case 1: return value > limit ? 3 : 2;
    case 2: return limit << 1;
    default: return limit - value;
    }
}

static __attribute__((noinline)) void fill(int *row, int (*both)[8], int at, int value)
{
    const int place = at + 5;
    row[place] = value;
    row[place + 1] = row[place];
    row[place + 20] = place;
    for (int i = place; i <= place + 1; i++) both[place][i & 7] = place;
    both[place][(place - 1) & 7] += 1;
    both[place + 20][place & 7] = row[place];
}

static __attribute__((noinline)) void pass_on(record *from)
{
    record *next = from->next;
    *next = *from;
    next->value = 5 + from->value;
    next->next = from->next;
    if (next->kind == 0) next->choice = grade(from->choice, 3);
    else *from = *next;
}

uint32_t reference(uint32_t passes)
{
    uint32_t sum = 0;
    char line[32];
    one.next = &other;
    copy(one.text, "a record of thirty characters");
    for (uint32_t pass = 1; pass <= passes; pass++) {
        int a = 2, b = 3, c;
        copy(line, "a record of thirty character!");
        c = 2 * same(one.text, line);
        while (a < b) { c = 5 * a - b; a++; fill(table, grid, a, c); }
        one.kind = pass & 1;
        one.choice = pass % 7;
        pass_on(&one);
        for (char at = 'A'; at <= 'C'; at++) sum += grade(at + pass, c);
        b = b * a;
        a = b / (c | 1);
        sum += 7 * (b - c) - a;
    }
    return sum + table[9] + grid[9][1];
}
"""
_PASSES = 1000


@dataclass(frozen=True)
class ReferenceIpc:
    """Instructions per cycle at 216 MHz, code in flash on the AXI bus."""

    caches_on: float
    caches_off: float


def measure(compiler: Path, folder: Path) -> ReferenceIpc:
    """Builds the loop and runs it on the twin. Raises BuildError."""
    folder.mkdir(parents=True, exist_ok=True)
    source, elf = folder / "reference.c", folder / "reference.elf"
    source.write_text(SETUP + SOURCE)
    place = ("-Wl,-Ttext=0x08000000,-Tdata=0x20000000", "-Wl,-e,reference,-u,reference,-u,calibrate_setup")
    command = [str(compiler), *FLAGS, "-O2", *LINK, *place, str(source), "-o", str(elf)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise BuildError(f"reference code: {answer.stderr.strip()[-2000:]}", "check `hil doctor`")
    return ReferenceIpc(_ipc(elf, CACHES_ON), _ipc(elf, 0))


def _ipc(elf: Path, caches: int) -> float:
    twin = prepared(elf, Timing.CYCLES, ccr=caches)
    twin.call("reference", _PASSES)  # warms caches and predictor
    cycles, instructions = twin.cycles, twin.instructions
    twin.call("reference", _PASSES)
    return (twin.instructions - instructions) / (twin.cycles - cycles)
