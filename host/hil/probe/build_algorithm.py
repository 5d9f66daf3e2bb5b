"""Compiles the flash algorithm of `mcu/flash_algorithm` and writes it down as data."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from hil import paths
from hil.deploy.toolchain import Compiler
from hil.errors import BuildError

FOLDER = paths.MCU / "flash_algorithm"
SOURCES = ("flash_algorithm.c", "flash_algorithm.h")
FUNCTIONS = ("Init", "UnInit", "EraseChip", "EraseSector", "ProgramPage", "Verify")
HEADER = bytes.fromhex("00befde7")
"""`bkpt` where functions return to, and a branch back to it for a probe that lets the core go on."""
FLAGS = (
    "-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=soft", "-Os", "-std=c11", "-ffreestanding", "-fpie",
    "-fno-common", "-fno-jump-tables", "-fno-tree-loop-distribute-patterns", "-nostdlib", "-Wall",
    "-Wextra", "-Werror",
)  # fmt: skip


@dataclass(frozen=True)
class Algorithm:
    """Position-independent code, `HEADER` first, and the offset of each function in it."""

    source_sha256: str
    compiler: str
    code: bytes
    functions: dict[str, int]

    def to_toml(self) -> str:
        """The text of `flash_algorithm.toml`."""
        digits = self.code.hex()
        lines = "\n".join(digits[at : at + 96] for at in range(0, len(digits), 96))
        functions = "\n".join(f"{name} = 0x{offset:x}" for name, offset in self.functions.items())
        return (
            "# Written by tools/flash-algorithm from mcu/flash_algorithm. Do not edit.\n"
            f'source_sha256 = "{self.source_sha256}"\ncompiler = "{self.compiler}"\n'
            f'code = """\n{lines}\n"""\n\n[functions]\n{functions}\n'
        )


def source_sha256(folder: Path = FOLDER) -> str:
    """The digest of the sources, line ends as in the repository."""
    texts = ((folder / name).read_bytes().replace(b"\r\n", b"\n") for name in SOURCES)
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def build(compiler: Compiler, folder: Path = FOLDER) -> Algorithm:
    """Compiles the sources in `folder`. Raises BuildError, also when the code has variables."""
    with tempfile.TemporaryDirectory() as scratch:
        elf = Path(scratch) / "flash_algorithm.elf"
        linker = ("-Wl,--build-id=none", "-Wl,-no-pie", f"-Wl,-Ttext=0x{len(HEADER):x}", "-Wl,-eInit")
        command = [str(compiler.path), *FLAGS, *linker, str(folder / SOURCES[0]), "-o", str(elf)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError("the compiler refused the flash algorithm", done.stderr.strip()[:800])
        code, functions = _contents(elf)
    return Algorithm(source_sha256(folder), f"arm-none-eabi-gcc {compiler.version}", code, functions)


def _contents(elf: Path) -> tuple[bytes, dict[str, int]]:
    code, functions = b"", {}
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            loaded = section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_size"]
            if section.name == ".text":
                code = section.data()
            elif isinstance(section, SymbolTableSection):
                functions = {s.name: s["st_value"] & ~1 for s in section.iter_symbols()}
            elif loaded and not section.name.startswith(".ARM."):
                raise BuildError(
                    f"the flash algorithm has a section {section.name}",
                    "keep it free of variables and tables: only .text is loaded",
                )
    code = HEADER + code
    return code + bytes(-len(code) % 4), {name: functions[name] for name in FUNCTIONS}
