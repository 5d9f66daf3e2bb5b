"""The firmware around the fake model, and a wire to it that a test can damage."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil import paths
from hil.deploy.build import configure_and_build
from hil.deploy.seal import write_seal
from hil.deploy.toolchain import find_cmsis, find_compiler
from hil.twin.twin import Twin
from hil.wire import header
from hil.wire.protocol import CHUNK_MAX

FAKE_MODEL = Path(__file__).with_name("fake_model")
PIXELS, CHANNELS, CLASSES, ALPHABET = 768, 4, 10, 16
INPUT_BYTES = PIXELS * CHANNELS
LOCAL_MULTIPLIER, LOCAL_ZERO_POINT, REMOTE_MULTIPLIER = 300, -5, 7
EXIT_MARGIN = 100
CALL_FOR_FAULT, CALL_FOR_HANG, CALL_FOR_REFUSAL = -100, -101, -102

Image = NDArray[np.int8]


def build(folder: Path, **variables: object) -> Path:
    """`hil.elf` of the firmware around the fake model; `variables` go to CMake."""
    cmsis = find_cmsis()
    header.write(folder / "wire")
    settings = {
        "HIL_MODEL_DIR": FAKE_MODEL,
        "HIL_WIRE_DIR": folder / "wire",
        "HIL_CMSIS_CORE_INCLUDE": cmsis.core_include,
        "HIL_CMSIS_DEVICE_INCLUDE": cmsis.device_include,
    }
    configure_and_build(paths.MCU, folder / "build", find_compiler(), settings | variables)
    elf = folder / "build" / "hil.elf"
    write_seal(elf)
    return elf


@cache
def shared() -> Path:
    """The same with the defaults, built once a process."""
    return build(Path(tempfile.mkdtemp(prefix="hil-fake-")))


def sample(seed: int) -> Image:
    """An input that the fake model does not exit early on."""
    image = np.random.default_rng(seed).integers(-90, 90, INPUT_BYTES, dtype=np.int8)
    image[:CLASSES] = np.arange(CLASSES)
    return image


def symbols_of(image: Image) -> NDArray[np.uint8]:
    """What the fake model quantises: channels 1 and 2, sixteen values to a symbol."""
    planes = image.reshape(PIXELS, CHANNELS).astype(np.int16)[:, 1:3].T
    return ((planes + 128) // 16).astype(np.uint8).reshape(-1)


def chunks_of(data: bytes) -> list[tuple[int, bytes]]:
    """Offsets and pieces as an upload sends them."""
    return [(at, data[at : at + CHUNK_MAX]) for at in range(0, len(data), CHUNK_MAX)]


SLICE_S = 2e-5
"""Where rates matter, the wire is looked at so often: no frame falls into the slice of a change."""

PICOSECOND = 1e-12
"""A time that the twin reaches in femtoseconds may be a rounding short of it in floating point."""

Damage = Callable[[bytes], bytes]


@dataclass
class Wire:
    """A channel to USART1 of a twin. `to_device` and `to_host` see every write and may change it."""

    twin: Twin
    port: int = 1
    to_device: Damage = lambda data: data
    to_host: Damage = lambda data: data
    baud: int | None = None
    """When set, the host's own rate: bytes at another rate than the device's arrive as noise."""
    resets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.uart = self.twin.uart(self.port)
        self.uart.stop_on_sent()

    def now_s(self) -> float:
        return self.twin.now_s

    def byte_s(self) -> float:
        return self.uart.byte_s

    def write(self, data: bytes, at_s: float | None = None) -> None:
        self.uart.feed(self._across(self.to_device(data), self.uart.byte_s), at_s)

    def read(self, until_s: float) -> bytes:
        data = self.uart.take_bytes()
        byte_s = self.uart.byte_s
        while not data and self.twin.now_s < until_s:
            byte_s = self.uart.byte_s
            slice_s = until_s if self.baud is None else min(until_s, self.twin.now_s + SLICE_S)
            stop = self.twin.run(slice_s + PICOSECOND)
            if stop.detail:
                self.resets.append(stop.detail)
            data = self.uart.take_bytes()
        return self._across(self.to_host(data), byte_s) if data else data

    def set_baud(self, baud: int) -> None:
        self.baud = baud

    def _across(self, data: bytes, byte_s: float) -> bytes:
        """Bytes sent at one rate as they are read at another: zeros and noise."""
        if self.baud is None or abs(byte_s * self.baud / 10 - 1) < 0.03:
            return data
        return bytes(byte & 0xA4 for byte in data)
