"""The seal of a firmware image: a CRC-32 over code and constants, written behind them after linking.

The firmware checks it at every start and whenever the host asks (`mcu/board/stm32f746/integrity.c`). What is
covered runs from the vector table to the section `.hil_seal`, the only thing in flash that is not.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from hil.errors import BuildError

SECTION: Final = ".hil_seal"
FIRST_SECTION: Final = ".isr_vector"

_LAYOUT = struct.Struct("<III")
"""begin u32, end u32 (addresses), crc u32."""


@dataclass(frozen=True)
class Seal:
    """What the firmware is to find."""

    begin: int
    end: int
    """Addresses in flash; `end` is the first that is not covered."""
    crc: int

    @property
    def covered_bytes(self) -> int:
        return self.end - self.begin


def write_seal(elf: Path) -> Seal:
    """Computes the seal of `elf` and writes it into `elf`, and into the .bin beside it if there is one.

    Raises BuildError when `elf` has no place for it, or a gap in what it covers, which every loader would
    fill differently.
    """
    place, image = _layout(elf)
    begin, end = image.begin, place.address
    sealed = Seal(begin, end, zlib.crc32(image.covered))
    content = _LAYOUT.pack(begin, end, sealed.crc)
    _patch(elf, place.offset, content)
    binary = elf.with_suffix(".bin")
    if binary.is_file():
        _patch(binary, end - begin, content)
    return sealed


def read_seal(elf: Path) -> Seal:
    """The seal in `elf`. Raises BuildError."""
    place = _layout(elf)[0]
    with elf.open("rb") as file:
        file.seek(place.offset)
        return Seal(*_LAYOUT.unpack(file.read(_LAYOUT.size)))


def covered_bytes(elf: Path) -> bytes:
    """What the seal of `elf` covers. Raises BuildError."""
    return _layout(elf)[1].covered


@dataclass(frozen=True)
class _Place:
    address: int
    offset: int
    """In the file."""


@dataclass(frozen=True)
class _Image:
    begin: int
    covered: bytes


def _layout(elf: Path) -> tuple[_Place, _Image]:
    try:
        with elf.open("rb") as file:
            image = ELFFile(file)
            first, seal = (image.get_section_by_name(name) for name in (FIRST_SECTION, SECTION))
            if first is None or seal is None or seal.header.sh_size < _LAYOUT.size:
                raise BuildError(f"{elf} has no {SECTION}", "it was not built by `hil build`")
            begin, end = first.header.sh_addr, seal.header.sh_addr
            covered = _stored(image, begin, end)
            place = _Place(end, seal.header.sh_offset)
    except (OSError, ELFError) as error:
        raise BuildError(f"{elf} is not a readable ELF: {error}") from None
    return place, _Image(begin, covered)


def _stored(image: Any, begin: int, end: int) -> bytes:
    """The bytes that lie in flash from `begin` to `end`. Raises BuildError for a gap."""
    content = bytearray()
    segments = [s for s in image.iter_segments() if s.header.p_type == "PT_LOAD" and s.header.p_filesz]
    for segment in sorted(segments, key=lambda one: one.header.p_paddr):
        at, data = segment.header.p_paddr, segment.data()
        if not begin <= at < end:
            continue
        if at != begin + len(content):
            raise BuildError(
                f"the image has a gap of {at - begin - len(content)} bytes before {at:#010x}",
                "align the section before it in the link script",
            )
        content += data
    return bytes(content[: end - begin])


def _patch(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)
