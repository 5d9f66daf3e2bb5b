"""Counts cycles and instructions by what current depends on: clock, voltage scale, clocked peripherals.

Nothing is done per block. The counters that the block hook and the sleep already keep are read when a
write to RCC or PWR, a reset or a change of the clock tree is about to end a setting, and when asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hil.measure.power.conditions import NOTHING, Conditions, Counts, State, Usage
from hil.twin.machine import Machine
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.peripherals.pwr import PWR_CR1
from hil.twin.peripherals.rcc import RCC_CR, RCC_CR_PLLON
from hil.twin.power.gates import ENABLE_TO_LOW_POWER, GATES, LOW_POWER_RESET, names_of

RCC_BASE = 0x4002_3800
PWR_BASE = 0x4000_7000
_BLOCK_BYTES = 0x400

PWR_CR1_LPDS, PWR_CR1_PDDS, PWR_CR1_LPUDS, PWR_CR1_UDEN = 1 << 0, 1 << 1, 1 << 10, 3 << 18
PWR_CR1_VOS_POS = 14
PWR_CR1_RESET = 0x0000_C000
_SCALE_OF_VOS = {1: 3, 2: 2, 3: 1}

Write = Callable[[int, int, int], None]


class PowerTrace:
    """Usage since power-on of one twin; a reset of the chip does not clear it."""

    def __init__(
        self,
        machine: Machine,
        peripherals: Iterable[Peripheral],
        stopped_fs: Callable[[], int] = lambda: 0,
    ) -> None:
        """`peripherals` hold RCC and PWR; `stopped_fs` is the time spent so far in Stop and Standby, in
        which no core clock ticks."""
        named = {peripheral.name: peripheral for peripheral in peripherals}
        self._machine = machine
        self._rcc_block, self._pwr_block = named["RCC"], named["PWR"]
        self._stopped_fs = stopped_fs
        self._usage: dict[Conditions, Counts] = {}
        self._seen = NOTHING
        self._known: dict[tuple[int, ...], Conditions] = {}
        machine.tree.listeners.append(self.settle)

    def usage(self) -> Usage:
        """A snapshot: counts by setting since power-on. Two of them make a window (`conditions.since`)."""
        self.settle()
        return dict(self._usage)

    def settle(self) -> None:
        """Gives what passed since the last call to the setting that still holds."""
        now = self._counters()
        if now != self._seen:
            setting = self.setting()
            self._usage[setting] = self._usage.get(setting, NOTHING) + (now - self._seen)
            self._seen = now

    def watching(self, write: Write) -> Write:
        """`write`, with a look at the counters before RCC or PWR change."""

        def settle_and_write(address: int, size: int, value: int) -> None:
            if 0 <= address - RCC_BASE < _BLOCK_BYTES or 0 <= address - PWR_BASE < _BLOCK_BYTES:
                self.settle()
            write(address, size, value)

        return settle_and_write

    def setting(self) -> Conditions:
        """What holds now."""
        tree, enables = self._machine.tree, [self._rcc(register) for register in GATES]
        low_power = [self._rcc(at + ENABLE_TO_LOW_POWER, LOW_POWER_RESET[at]) for at in GATES]
        cr1 = self._pwr_block.registers.get(PWR_CR1, PWR_CR1_RESET)
        key = (tree.hclk_hz, tree.pclk1_hz, tree.pclk2_hz, self._scale(cr1), cr1, *enables, *low_power)
        known = self._known.get(key)
        if known is None:
            asleep = [enable & low for enable, low in zip(enables, low_power, strict=True)]
            known = self._known[key] = Conditions(
                tree.hclk_hz,
                tree.pclk1_hz,
                tree.pclk2_hz,
                self._scale(cr1),
                names_of(dict(zip(GATES, enables, strict=True))),
                names_of(dict(zip(GATES, asleep, strict=True))),
                _deep(cr1),
            )
        return known

    def _scale(self, cr1: int) -> int:
        """While the PLL is off the regulator is in scale 3 whatever VOS says (RM0385 4.1.4)."""
        if not self._rcc(RCC_CR) & RCC_CR_PLLON:
            return 3
        return _SCALE_OF_VOS.get(cr1 >> PWR_CR1_VOS_POS & 3, 3)

    def _counters(self) -> Counts:
        state, slept = self._machine.state, self._machine.clock.slept_ticks
        return Counts(state.ticks - slept, slept, self._stopped_fs(), state.instructions)

    def _rcc(self, offset: int, default: int = 0) -> int:
        return self._rcc_block.registers.get(offset, default)


def _deep(cr1: int) -> State:
    """Where SLEEPDEEP leads (RM0385 4.3.5, 4.3.6)."""
    if cr1 & PWR_CR1_PDDS:
        return State.STANDBY
    under_drive = cr1 & PWR_CR1_UDEN == PWR_CR1_UDEN and cr1 & PWR_CR1_LPDS and cr1 & PWR_CR1_LPUDS
    return State.STOP_UNDER_DRIVE if under_drive else State.STOP
