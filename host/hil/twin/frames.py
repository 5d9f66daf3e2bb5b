"""What an exception stacks and how EXC_RETURN tells of it (ARMv7-M ARM B1.5.6 to B1.5.8)."""

from __future__ import annotations

from dataclasses import dataclass

from hil.twin.fp_context import FP_FRAME_BYTES

CONTROL_NPRIV = 1 << 0
CONTROL_SPSEL = 1 << 1
XPSR_T = 1 << 24
XPSR_IPSR = 0x1FF
XPSR_ALIGN = 1 << 9
XPSR_KEPT = 0xFF0F_FC00
"""Flags, GE and IT state; bit 9 of a stacked XPSR says that the frame was aligned by four bytes."""

EXC_RETURN_THREAD = 1 << 3
EXC_RETURN_PSP = 1 << 2
EXC_RETURN_BASIC = 1 << 4

BASIC_FRAME_BYTES = 8 * 4
EXTENDED_FRAME_BYTES = BASIC_FRAME_BYTES + FP_FRAME_BYTES

BROKEN_RETURN = 0xF000_0000
"""LR after a return that failed its checks: EXC_RETURN with these upper bits (B1.5.8)."""


@dataclass(frozen=True)
class Leaving:
    """The registers that a return from an exception starts from."""

    xpsr: int
    control: int
    msp: int
    psp: int
    sp: int
    faultmask: int
