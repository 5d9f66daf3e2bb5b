"""Exchanges with the Monitor of Renode 1.16.1, byte for byte as the fact sheet describes them."""

from __future__ import annotations

from dataclasses import dataclass

NEGOTIATION = bytes.fromhex("fffd00fffb01fffb03fffc22")
GREETING = NEGOTIATION + b"\r\r\nRenode, version 1.16.1.14417 (43ba2a2d-202602041305)\r\r\n\r\r\n(monitor) "
LOSSY_GREETING = bytes.fromhex("fffd00fffd1ffffb01fffb03fffc22") + b"enode, version 1.16.1.0\r\r\n(monitor) "


@dataclass(frozen=True)
class Exchange:
    command: str
    raw: bytes
    output: str
    prompt: str = "f746"


CREATED = Exchange('mach create "f746"', b'mach create "f746"\n\r(f746) ', "")
COUNTED = Exchange(
    "cpu ExecutedInstructions",
    b"cpu ExecutedInstructions\n\r0x0000000001EE6280\r\r\n(f746) ",
    "0x0000000001EE6280",
)
STEPPED = Exchange('emulation RunFor "0.15"', b'emulation RunFor "0.15"\r\r\n(f746) ', "")
WRAPPED = Exchange(
    "sysbus LoadELF @/tmp/hil-renode-abcdefgh/firmware.elf",
    b"sysbus LoadELF @/tmp/hil-renode-abc\r\r\ndefgh/firmware.elf\n\r(f746) ",
    "",
)
COLOURED = Exchange(
    "version",
    b"\x1b[0Kversion\n\r\x1b[33mRenode, version 1.16.1\x1b[0m\r\r\n(f746) ",
    "Renode, version 1.16.1",
)
UNKNOWN = Exchange(
    "nosuch",
    b"nosuch\n\rNo such command or device: nosuch\r\r\n(monitor) ",
    "No such command or device: nosuch",
    "monitor",
)
REFUSED = Exchange(
    "machine LoadPlatformDescription @/x.repl",
    b"machine LoadPlatformDescription @/x.repl\n\r"
    b"There was an error executing command 'machine LoadPlatformDescription @/x.repl'\r\r\n"
    b"Error E11: Could not resolve type: 'UART.STM32F7_USARTT'.\r\r\n"
    b"At /x.repl:12:8:\r\r\nusart1: UART.STM32F7_USARTT @ sysbus 0x40011000\r\r\n        ^\r\r\n(f746) ",
    "There was an error executing command 'machine LoadPlatformDescription @/x.repl'\n"
    "Error E11: Could not resolve type: 'UART.STM32F7_USARTT'.\n"
    "At /x.repl:12:8:\nusart1: UART.STM32F7_USARTT @ sysbus 0x40011000\n        ^",
)
ALL = (CREATED, COUNTED, STEPPED, WRAPPED, COLOURED, UNKNOWN, REFUSED)
PROMPTS = frozenset(("monitor", "f746"))
