"""Core registers by the numbers that a debugger uses in DCRSR (ARMv7-M ARM C1.6.3)."""

from __future__ import annotations

from hil.twin.engine import Engine

REGSEL_SP = 13
REGSEL_LR = 14
REGSEL_PC = 15
REGSEL_XPSR = 16
REGSEL_MSP = 17
REGSEL_PSP = 18
REGSEL_CFBP = 20
"""CONTROL, FAULTMASK, BASEPRI and PRIMASK, one byte each from the top."""
REGSEL_FPSCR = 33
REGSEL_S0 = 64
FP_REGISTERS = 32

XPSR_T = 1 << 24
CONTROL_SPSEL = 1 << 1
CONTROL_BITS = 0x7
"""nPRIV, SPSEL and FPCA: Unicorn shows a v8-M bit beside them."""

_NAMES = {
    **{number: f"R{number}" for number in range(13)},
    REGSEL_SP: "SP",
    REGSEL_LR: "LR",
    REGSEL_PC: "PC",
    REGSEL_XPSR: "XPSR",
    REGSEL_MSP: "MSP",
    REGSEL_PSP: "PSP",
    REGSEL_FPSCR: "FPSCR",
    **{REGSEL_S0 + number: f"S{number}" for number in range(FP_REGISTERS)},
}
_WORD = 0xFFFF_FFFF


class CoreRegisters:
    """Reads and writes one register at a time, of a core that stands still."""

    def __init__(self, engine: Engine) -> None:
        self._one = {number: engine.registers(name) for number, name in _NAMES.items()}
        self._masks = engine.registers("CONTROL", "FAULTMASK", "BASEPRI", "PRIMASK")
        self._stacks = engine.registers("MSP", "PSP")
        self._banked = engine.registers("XPSR", "CONTROL", "MSP", "PSP", "SP")

    def read(self, number: int) -> int:
        """The register `number`; 0 for numbers that no register has."""
        if number == REGSEL_CFBP:
            control, faultmask, basepri, primask = self._masks.read()
            return (
                (control & CONTROL_BITS) << 24 | (faultmask & 1) << 16 | (basepri & 0xFF) << 8 | primask & 1
            )
        found = self._one.get(number)
        value = 0 if found is None else found.read()[0] & _WORD
        # Unicorn shows T clear after its PC was written, until it runs.
        return value | XPSR_T if number == REGSEL_XPSR else value

    def write(self, number: int, value: int) -> None:
        """Sets the register `number`; numbers that no register has are ignored."""
        match number:
            case 13 | 17 | 18:
                self._write_stack(number, value & ~3)
            case 15:
                self._one[REGSEL_PC].write(value & ~1)
            case 20:
                self._write_masks(value)
            case 16:
                self._write_xpsr(value)
            case _ if number in self._one:
                self._one[number].write(value)

    def _write_stack(self, number: int, value: int) -> None:
        """MSP, PSP or the one that SP speaks of: all three must agree afterwards."""
        xpsr, control, msp, psp, _ = self._banked.read()
        on_psp = bool(control & CONTROL_SPSEL) and not xpsr & 0x1FF
        if number == REGSEL_PSP or (number == REGSEL_SP and on_psp):
            psp = value
        else:
            msp = value
        self._restore(xpsr, control, msp, psp)

    def _write_masks(self, value: int) -> None:
        xpsr, _, msp, psp, _ = self._banked.read()
        self._masks.write(value >> 24 & CONTROL_BITS, value >> 16 & 1, value >> 8 & 0xFF, value & 1)
        self._restore(xpsr, value >> 24 & CONTROL_BITS, msp, psp)

    def _write_xpsr(self, value: int) -> None:
        """T is kept: the twin's core has no other state to be in."""
        _, control, msp, psp, _ = self._banked.read()
        self._restore(value | XPSR_T, control, msp, psp)

    def _restore(self, xpsr: int, control: int, msp: int, psp: int) -> None:
        """XPSR and CONTROL first: they choose the stack that SP speaks of."""
        on_psp = bool(control & CONTROL_SPSEL) and not xpsr & 0x1FF
        self._banked.write(xpsr, control & CONTROL_BITS, msp, psp, psp if on_psp else msp)
