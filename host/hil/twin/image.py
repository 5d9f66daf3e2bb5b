"""A program for the twin: what to put where, and the names in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from hil.errors import BoardError
from hil.twin.memory import DTCM_BASE, FLASH_BASE, KIB

ELF_MAGIC = b"\x7fELF"
RAM_BYTES = 320 * KIB


@dataclass(frozen=True)
class Segment:
    """Bytes that the programmer stores at `load_address`, and that run at `run_address`.

    The two differ for initialised variables, which start-up code copies from flash to RAM.
    """

    load_address: int
    run_address: int
    data: bytes
    """Size at run time; what exceeds `data` is zero."""


@dataclass(frozen=True)
class Function:
    """A function's extent; `size` is 0 for assembly that does not declare one."""

    address: int
    size: int
    name: str


@dataclass(frozen=True)
class Image:
    """A program as the twin loads it."""

    path: Path | None
    segments: tuple[Segment, ...]
    vector_table: int
    symbols: dict[str, int] = field(default_factory=dict, repr=False)
    functions: tuple[Function, ...] = field(default=(), repr=False)

    @classmethod
    def load(cls, path: Path) -> Image:
        """Reads an ELF, or a raw binary linked at 0x08000000. Raises BoardError."""
        return load_image(path)

    @classmethod
    def blank(cls) -> Image:
        """Erased flash: no program."""
        return cls(None, (), FLASH_BASE)

    def function_at(self, address: int) -> Function | None:
        """The function whose code holds `address`."""
        index = bisect_right(self.functions, address, key=lambda function: function.address) - 1
        if index < 0:
            return None
        found = self.functions[index]
        return found if address < found.address + (found.size or 4096) else None

    def describe(self, address: int) -> str:
        """`address` as "0x08000123 (main+0x12)"."""
        function = self.function_at(address)
        if function is None:
            return f"0x{address:08x}"
        return f"0x{address:08x} ({function.name}+0x{address - function.address:x})"


def load_image(path: Path) -> Image:
    """Reads an ELF, or a raw binary linked at 0x08000000. Raises BoardError."""
    try:
        with path.open("rb") as file:
            if file.read(4) == ELF_MAGIC:
                return _from_elf(path, ELFFile(file))
        return _from_binary(path, path.read_bytes())
    except OSError as error:
        raise BoardError(f"cannot read {path}: {error.strerror}", "build it with `hil build`") from error
    except ELFError as error:
        raise BoardError(f"{path} is not a sound ELF: {error}", "build it again") from error


def _from_binary(path: Path, data: bytes) -> Image:
    if len(data) < 8:
        raise BoardError(f"{path} is too short for a vector table", "give an ELF or a raw flash image")
    stack, entry = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4))
    in_ram = DTCM_BASE < stack <= DTCM_BASE + RAM_BYTES
    if not in_ram or not entry & 1 or not FLASH_BASE <= entry < FLASH_BASE + len(data):
        raise BoardError(
            f"{path} does not begin with a vector table: stack 0x{stack:08x}, entry 0x{entry:08x}",
            "give an ELF, or a raw image linked at 0x08000000",
        )
    return Image(path, (Segment(FLASH_BASE, FLASH_BASE, data),), FLASH_BASE)


def _from_elf(path: Path, elf: Any) -> Image:
    if elf["e_machine"] != "EM_ARM":
        raise BoardError(f"{path} is for {elf['e_machine']}, not for ARM", "build it with arm-none-eabi-gcc")
    segments = tuple(
        Segment(header["p_paddr"], header["p_vaddr"], header.data())
        for header in elf.iter_segments()
        if header["p_type"] == "PT_LOAD" and header["p_memsz"]
    )
    symbols: dict[str, int] = {}
    functions: dict[int, Function] = {}
    for section in elf.iter_sections():
        if isinstance(section, SymbolTableSection):
            _collect(section, symbols, functions)
    if not any(segment.data for segment in segments):
        raise BoardError(f"{path} holds no code", "link it with a script that places code in flash")
    ordered = tuple(functions[address] for address in sorted(functions))
    return Image(path, segments, _vector_table(segments), symbols, ordered)


def _vector_table(segments: tuple[Segment, ...]) -> int:
    """The start of flash, or of the lowest code when the image leaves room for a boot loader."""
    stored = [segment for segment in segments if segment.data]
    if any(s.load_address <= FLASH_BASE < s.load_address + len(s.data) for s in stored):
        return FLASH_BASE
    in_flash = [s.load_address for s in stored if s.load_address >= FLASH_BASE]
    return min(in_flash or [s.load_address for s in stored])


def _collect(section: Any, symbols: dict[str, int], functions: dict[int, Function]) -> None:
    for symbol in section.iter_symbols():
        kind, name, value = symbol["st_info"]["type"], symbol.name, symbol["st_value"]
        if not name or name.startswith("$") or symbol["st_shndx"] == "SHN_UNDEF":
            continue
        is_global = symbol["st_info"]["bind"] != "STB_LOCAL"
        if is_global or name not in symbols:
            symbols[name] = value
        if kind == "STT_FUNC":
            address = value & ~1
            known = functions.get(address)
            if known is None or (is_global and not known.size):
                functions[address] = Function(address, symbol["st_size"], name)
