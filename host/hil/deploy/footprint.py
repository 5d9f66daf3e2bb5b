"""The footprint, read from the ELF: sections and symbols, no formulas."""

from __future__ import annotations

from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from hil.deploy.deployment import Footprint
from hil.errors import BuildError

ARENAS = ("hil_model_arena", "hil_model_arena_dtcm")
"""At least one of them is there."""

STACK_START, STACK_END = "__hil_stack_start", "__hil_stack_end"
RAM_START, RAM_END = 0x2000_0000, 0x2005_0000
"""DTCM, SRAM1 and SRAM2 (RM0385 §2.2.2)."""
ITCM_END = 0x4000
"""ITCM RAM begins at 0."""

_SHF_ALLOC = 0x2


def read_footprint(elf: Path) -> Footprint:
    """Flash: everything loaded from the image. RAM: all allocated sections in 0x2000_0000–0x2004_FFFF.

    Raises BuildError when `elf` is no ELF or lacks the symbols that the link script defines.
    """
    try:
        with elf.open("rb") as file:
            image = ELFFile(file)
            flash = sum(s.header.p_filesz for s in image.iter_segments() if s.header.p_type == "PT_LOAD")
            ram = sum(
                s.header.sh_size
                for s in image.iter_sections()
                if s.header.sh_flags & _SHF_ALLOC and RAM_START <= s.header.sh_addr < RAM_END
            )
            itcm = sum(
                s.header.sh_size
                for s in image.iter_sections()
                if s.header.sh_flags & _SHF_ALLOC and s.header.sh_addr < ITCM_END
            )
            table = image.get_section_by_name(".symtab")
            symbols = {}
            if isinstance(table, SymbolTableSection):
                symbols = {s.name: s.entry for s in table.iter_symbols()}
    except (OSError, ELFError) as error:
        raise BuildError(f"{elf} is not a readable ELF: {error}") from None
    arenas = [symbols[name].st_size for name in ARENAS if name in symbols]
    missing = [name for name in (STACK_START, STACK_END) if name not in symbols]
    missing += [] if arenas else ARENAS[:1]
    if missing:
        raise BuildError(f"{elf} lacks the symbols {', '.join(missing)}", "it was not built by `hil build`")
    arena = sum(arenas)
    stack = symbols[STACK_END].st_value - symbols[STACK_START].st_value
    return Footprint(flash, ram - arena - stack, arena, stack, itcm)


def symbol_sizes(elf: Path, kind: str) -> list[tuple[str, int]]:
    """Name and bytes of all symbols of a kind, STT_FUNC or STT_OBJECT. Raises BuildError."""
    try:
        with elf.open("rb") as file:
            table = ELFFile(file).get_section_by_name(".symtab")
            symbols = table.iter_symbols() if isinstance(table, SymbolTableSection) else ()
            return [(s.name, s.entry.st_size) for s in symbols if s.entry.st_info.type == kind]
    except (OSError, ELFError) as error:
        raise BuildError(f"{elf} is not a readable ELF: {error}") from None
