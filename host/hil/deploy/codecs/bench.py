"""What an encoder takes of the device: every codec in one bare image, timed by the twin's cycle model.

Code and tables lie in flash, buffers in SRAM, caches on, 216 MHz. A payload goes in whole, in its order.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil import paths
from hil.codec.coder import Coder
from hil.codec.order import order_of, to_runs
from hil.deploy.toolchain import find_compiler
from hil.deploy.tune.image import LEVEL
from hil.errors import BuildError
from hil.twin.timing.calibration.build import FLAGS, LINK, SETUP
from hil.twin.timing.calibration.measure import prepared
from hil.twin.timing.model import Timing
from hil.twin.twin import Twin
from hil.wire import header

FORMAT, TABLE = 0x080E_0000, 0x080E_0100
SCRATCH, SYMBOLS, PAYLOAD = 0x2001_0000, 0x2001_8000, 0x2002_8000
SYMBOLS_MAX, PAYLOAD_MAX = PAYLOAD - SYMBOLS, 0x2004_E000 - PAYLOAD


def build(folder: Path) -> Path:
    """An ELF with the codecs alone, compiled as the firmware's are. Raises ToolchainError or BuildError."""
    header.write(folder)
    (folder / "setup.c").write_text(SETUP)
    elf = folder / "codecs.elf"
    includes = (folder, paths.MCU / "codec", paths.MCU / "runtime")
    sources = (folder / "setup.c", *sorted((paths.MCU / "codec").glob("*.c")))
    command = [
        *(str(find_compiler().path), *FLAGS, LEVEL, *(f"-I{include}" for include in includes)),
        *(*map(str, sources), *LINK, "-Wl,-Ttext=0x08000000", "-Wl,-Tdata=0x20000000"),
        *("-Wl,-e,hil_encode", "-o", str(elf)),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise BuildError(f"the codecs' image: {answer.stderr.strip()[-2000:]}", "check `hil doctor`")
    return elf


def twin_of(elf: Path) -> Twin:
    """A twin with `build`'s image."""
    return prepared(elf, Timing.CYCLES)


def fits(coder: Coder) -> bool:
    """Whether the image has room for its payloads."""
    return coder.form.symbols <= SYMBOLS_MAX and coder.capacity <= PAYLOAD_MAX


def encode_cycles(twin: Twin, coder: Coder, payloads: Sequence[NDArray[np.uint8]]) -> float:
    """Mean cycles of planar `payloads` after one that warmed caches and predictor.

    Raises BuildError where the device's payload is not the host's.
    """
    form, table = coder.form, b"" if coder.table is None else coder.table.tobytes()
    sizes = (form.channels, 0, form.channels, len(form.centroids), coder.wire, order_of(form), form.width)
    twin.write(TABLE, table)
    twin.write(FORMAT, struct.pack("<IHHHHBBHI", form.height * form.width, *sizes, TABLE))
    spent = []
    for symbols in (payloads[0], *payloads):
        twin.write(SYMBOLS, to_runs(symbols, form).tobytes())
        before = twin.cycles
        count = twin.call("hil_encode", FORMAT, SYMBOLS, SCRATCH, PAYLOAD, coder.capacity)
        spent.append(twin.cycles - before)
        expected = coder.encode(symbols)
        if count != len(expected) or twin.read(PAYLOAD, count) != expected:
            raise BuildError(f"the device's {form.codec} encoder and the host's differ", "report it")
    return float(np.mean(spent[1:]))
