"""Fixtures that compile a test's source and boot it on a twin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hil.deploy.build import Toolchain, prepare_toolchain
from hil.errors import ToolchainError
from hil.twin import Twin, load_image
from hil_tests.twin import firmware

Boot = Callable[..., Twin]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Compiles a source once per session."""
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    folder = tmp_path_factory.mktemp("firmware")
    return lambda source: firmware.build_firmware(source, folder)


@pytest.fixture
def boot(build: Callable[[str], Path]) -> Boot:
    """A twin at the reset vector of a source."""

    def make(source: str, **options: Any) -> Twin:
        return Twin(load_image(build(source)), **options)

    return make


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """Compiler and CMSIS-NN, as deployment uses them."""
    try:
        return prepare_toolchain()
    except ToolchainError as error:
        pytest.skip(str(error))


def words(twin: Twin, name: str = "out", count: int = 16) -> list[int]:
    """The 32-bit words at a symbol."""
    data = twin.read(twin.symbol(name), 4 * count)
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]
