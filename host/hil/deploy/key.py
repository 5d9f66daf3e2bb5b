"""A device's key in its firmware: written into a copy of the image, never into what is kept of a build."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from hil.errors import BuildError
from hil.wire.protocol import KEY_BYTES

SECTION: Final = ".hil_key"


def write_key(elf: Path, key: bytes, target: Path) -> None:
    """A copy of `elf` with `key`, which its owner alone may read. Raises BuildError."""
    image = bytearray(elf.read_bytes())
    offset = _place(elf)
    image[offset : offset + KEY_BYTES] = key
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(image)


def _place(elf: Path) -> int:
    try:
        with elf.open("rb") as file:
            section = ELFFile(file).get_section_by_name(SECTION)
            if section is not None and section.header.sh_size == KEY_BYTES:
                return int(section.header.sh_offset)
    except (OSError, ELFError) as error:
        raise BuildError(f"{elf} is not a readable ELF: {error}") from None
    raise BuildError(f"{elf} has no place for a key", "it was not built by `hil build`")
