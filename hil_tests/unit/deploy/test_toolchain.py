"""Finding compiler and sources: what is missing is named, with what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.deploy import toolchain
from hil.errors import ToolchainError


def _compiler(folder: Path, version: str, libc: int = 0) -> Path:
    script = folder / "fake-gcc"
    script.write_text(
        f'#!/bin/sh\ncase "$1" in -dumpfullversion) echo {version};; *) cat >/dev/null; exit {libc};; esac\n'
    )
    script.chmod(0o755)
    return script


def test_a_missing_compiler_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_ARM_GCC", "no-such-compiler")
    with pytest.raises(ToolchainError, match="no-such-compiler") as caught:
        toolchain.find_compiler()
    assert "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi" in caught.value.hint


def test_a_compiler_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIL_ARM_GCC", str(_compiler(tmp_path, "7.3.1")))
    with pytest.raises(ToolchainError, match=r"version 7\.3\.1"):
        toolchain.find_compiler()


def test_a_compiler_without_newlib_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIL_ARM_GCC", str(_compiler(tmp_path, "12.2.1", libc=1)))
    with pytest.raises(ToolchainError, match="no C library"):
        toolchain.find_compiler()


def test_a_good_compiler_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIL_ARM_GCC", str(_compiler(tmp_path, "12.2.1")))
    assert toolchain.find_compiler().version == "12.2.1"


def test_a_named_folder_without_cmsis_nn_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIL_CMSIS_NN", str(tmp_path))
    with pytest.raises(ToolchainError, match="HIL_CMSIS_NN names no CMSIS-NN"):
        toolchain.find_cmsis()


def test_an_installed_pack_goes_before_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HIL_CMSIS_NN", raising=False)
    monkeypatch.setenv("CMSIS_PACK_ROOT", str(tmp_path))
    for version in ("4.1.0", "10.0.0"):
        header = tmp_path / "ARM" / "CMSIS-NN" / version / "Include" / "arm_nnfunctions.h"
        header.parent.mkdir(parents=True)
        header.touch()
    assert toolchain.find_cmsis().nn.name == "10.0.0"
