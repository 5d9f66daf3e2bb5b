"""How deep the stack can get, read from the machine code.

A function's frame is the sum of everything that it pushes or subtracts from SP, on all its paths together; an
indirect call may reach every function whose address is stored somewhere. Both are too much rather than too
little. On top of the deepest path from reset come two interrupts, since there are two priorities: the tick's
and the UART's.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from elftools.elf.elffile import ELFFile

from hil.deploy.toolchain import Compiler
from hil.errors import BuildError

ENTRY = "Reset_Handler"
PRIORITIES = (
    ("SysTick_Handler",),
    ("USART1_IRQHandler", "USART3_IRQHandler", "DMA2_Stream7_IRQHandler", "DMA1_Stream3_IRQHandler"),
)
"""Handlers of one priority, each of which can interrupt what comes before."""

EXCEPTION_BYTES = 26 * 4 + 4
"""What the core pushes: 8 words, 18 of the FPU, and one to align them."""

SPARE_BYTES = 128

_HEAD = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_LINE = re.compile(r"^ *[0-9a-f]+:\t(\S+)\t?(.*)$")
_TARGET = re.compile(r"[0-9a-f]+ <([^>+]+)>")
_REGISTER = re.compile(r"^([a-z]+)(\d+)$")


@dataclass
class _Function:
    name: str = ""
    frame_bytes: int = 0
    calls: set[str] = field(default_factory=set)
    indirect: bool = False
    unbounded: bool = False
    """It has an array of variable length."""


@dataclass(frozen=True)
class Stack:
    """The most that can be needed, interrupts included, and the calls that lead there."""

    bytes: int
    path: tuple[str, ...]

    @property
    def reserve_bytes(self) -> int:
        """What to reserve: some to spare, in whole cache lines."""
        return -(-(self.bytes + SPARE_BYTES) // 32) * 32


def worst_stack(elf: Path, compiler: Compiler, entry: str = ENTRY) -> Stack:
    """The stack of the firmware `elf`. Raises BuildError where it has no bound."""
    functions, stored = _functions(elf, compiler)
    depth, path = _deepest(entry, functions, stored, ())
    for handlers in PRIORITIES:
        depths = [_deepest(name, functions, stored, ())[0] for name in handlers if name in functions]
        depth += EXCEPTION_BYTES + max(depths, default=0)
    return Stack(depth, path)


def _deepest(
    name: str, functions: dict[str, _Function], stored: set[str], above: tuple[str, ...]
) -> tuple[int, tuple[str, ...]]:
    if name in above:
        raise BuildError(f"{' → '.join((*above, name))} is a recursion: its stack has no bound")
    function = functions[name]
    if function.unbounded:
        raise BuildError(f"{' → '.join((*above, name))} has an array of variable length on the stack")
    calls = function.calls | (stored - set(above) - {name} if function.indirect else set())
    below = (_deepest(call, functions, stored, (*above, name)) for call in sorted(calls & functions.keys()))
    depth, path = max(below, default=(0, ()))
    return function.frame_bytes + depth, (name, *path)


def _functions(elf: Path, compiler: Compiler) -> tuple[dict[str, _Function], set[str]]:
    """All functions, and the names of those whose address is stored outside of the vector table."""
    functions: dict[str, _Function] = {}
    addresses: dict[int, str] = {}
    current = _Function()
    for line in _disassembly(elf, compiler):
        if head := _HEAD.match(line):
            current = functions.setdefault(head[2], _Function(head[2]))
            addresses[int(head[1], 16)] = head[2]
        elif found := _LINE.match(line):
            _take(current, found[1], found[2].split(";")[0].strip())
    words = _stored_words(elf)
    return functions, {name for address, name in addresses.items() if address | 1 in words}


def _stored_words(elf: Path) -> set[int]:
    with elf.open("rb") as file:
        sections = (ELFFile(file).get_section_by_name(name) for name in (".text", ".data"))
        data = b"".join(section.data() for section in sections if section is not None)
    return set(np.frombuffer(data[: len(data) // 4 * 4], dtype="<u4").tolist())


def _disassembly(elf: Path, compiler: Compiler) -> Iterator[str]:
    answer = subprocess.run(
        [str(compiler.path), "-print-prog-name=objdump"], capture_output=True, text=True, check=False
    )
    command = [answer.stdout.strip(), "--no-show-raw-insn", "-d", str(elf)]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    if listing.returncode:
        raise BuildError(f"objdump failed: {listing.stderr.strip()}", "check `hil doctor`")
    return iter(listing.stdout.splitlines())


def _take(function: _Function, mnemonic: str, operands: str) -> None:
    """What one instruction adds to the frame and to the calls."""
    operation = mnemonic.split(".")[0]
    if operation in ("push", "vpush") or operands.startswith("sp!"):
        if operation in ("push", "vpush", "stmdb", "vstmdb"):
            function.frame_bytes += _list_bytes(operands[operands.index("{") :])
    elif operation in ("sub", "subw") and operands.startswith("sp,"):
        amount = re.search(r"#(\d+)", operands)
        function.frame_bytes += int(amount[1]) if amount else 0
        function.unbounded |= amount is None
    elif below := re.search(r"\[sp, #-(\d+)\]!", operands):
        function.frame_bytes += int(below[1])
    elif operation.startswith(("b", "cb")) and (target := _TARGET.search(operands)):
        if operation == "bl" or target[1] != function.name:  # else a loop
            function.calls.add(target[1])
    elif operation == "blx":
        function.indirect = True


def _list_bytes(registers: str) -> int:
    """{r4, r6-r8, lr} has 5 words, {d8-d9} four."""
    count = 0
    for part in registers.strip("{} ").split(","):
        first, _, last = part.strip().partition("-")
        if last and (a := _REGISTER.match(first)) and (b := _REGISTER.match(last)):
            count += int(b[2]) - int(a[2]) + 1
        else:
            count += 1
    return count * (8 if registers.startswith("{d") else 4)
