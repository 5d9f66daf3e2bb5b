"""Where pyOCD's description of the chip comes from."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.errors import UsageError
from hil.probe.targets import OWN, PARTS, choose_target

PDSC = """<?xml version="1.0" encoding="UTF-8"?>
<package schemaVersion="1.7.2">
  <vendor>Keil</vendor><name>STM32F7xx_DFP</name>
  <releases><release version="2.16.0">x</release></releases>
  <devices>
    <family Dfamily="STM32F7 Series" Dvendor="STMicroelectronics:13">
      <processor Dcore="Cortex-M7" Dfpu="SP_FPU" Dmpu="MPU" Dendian="Little-endian" DcoreVersion="r0p1"/>
      <device Dname="{part}">
        <memory id="IROM1" start="0x08000000" size="0x100000" startup="1" default="1"/>
        <memory id="IRAM1" start="0x20000000" size="0x50000" init="0" default="1"/>
      </device>
    </family>
  </devices>
</package>
"""


@dataclass(frozen=True)
class Device:
    part_number: str


def make_pack(path: Path, part: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Keil.STM32F7xx_DFP.pdsc", PDSC.format(part=part))
    return path


@pytest.mark.parametrize(
    ("board", "part"), [("nucleo_f746zg", "STM32F746ZGTx"), ("disco_f746g", "STM32F746NGHx")]
)
def test_a_pack_file_goes_before_all_else(tmp_path: Path, board: str, part: str) -> None:
    pack = make_pack(tmp_path / "F7.pack", part)
    chosen = choose_target(board, pack, installed=lambda: [Device(part)])
    assert (chosen.name, chosen.origin, chosen.pack) == (PARTS[board], "CMSIS pack F7.pack", pack)


def test_an_installed_pack_goes_before_our_own() -> None:
    chosen = choose_target(
        "disco_f746g", None, installed=lambda: [Device("STM32F746ZGTx"), Device("STM32F746NGHx")]
    )
    assert (chosen.name, chosen.pack) == ("stm32f746nghx", None)
    assert chosen.origin != OWN


def test_without_a_pack_it_is_our_own() -> None:
    told: list[str] = []
    chosen = choose_target("nucleo_f746zg", None, installed=list, own=lambda: told.append("pyOCD"))
    assert (chosen.name, chosen.origin, told) == ("stm32f746zgtx", OWN, ["pyOCD"])


def test_a_pack_of_another_family_is_refused(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "other.pack", "STM32F767ZITx")
    with pytest.raises(UsageError, match=r"other\.pack does not describe STM32F746ZGTX"):
        choose_target("nucleo_f746zg", pack)


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_what_is_no_pack_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.pack"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="is no CMSIS pack"):
        choose_target("nucleo_f746zg", path)
