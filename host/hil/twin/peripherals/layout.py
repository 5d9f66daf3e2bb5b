"""Where the peripherals of the STM32F746 lie (RM0385 table 1), and which of them the twin models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from hil.twin.bus import Bus
from hil.twin.exceptions import ExceptionUnit
from hil.twin.machine import Machine
from hil.twin.peripherals import rcc as r
from hil.twin.peripherals.debug import CoreDebug, Dbgmcu, Dwt
from hil.twin.peripherals.dma import Dma, DmaRequests
from hil.twin.peripherals.flash import FlashInterface
from hil.twin.peripherals.gpio import Gpio
from hil.twin.peripherals.iwdg import Iwdg
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.peripherals.pwr import Pwr
from hil.twin.peripherals.rcc import Rcc
from hil.twin.peripherals.scb import Scb
from hil.twin.peripherals.supply import watch_supply
from hil.twin.peripherals.system_control import AuxiliaryControl, CacheMaintenance, FpuContext, Mpu, Stir
from hil.twin.peripherals.systick import SysTick
from hil.twin.peripherals.tim import Timer
from hil.twin.peripherals.unmodelled import Unmodelled
from hil.twin.peripherals.usart import Usart

USARTS = {
    1: ("USART1", 0x4001_1000, 37, 0, r.RCC_APB2ENR, 4),
    2: ("USART2", 0x4000_4400, 38, 2, r.RCC_APB1ENR, 17),
    3: ("USART3", 0x4000_4800, 39, 4, r.RCC_APB1ENR, 18),
    4: ("UART4", 0x4000_4C00, 52, 6, r.RCC_APB1ENR, 19),
    5: ("UART5", 0x4000_5000, 53, 8, r.RCC_APB1ENR, 20),
    6: ("USART6", 0x4001_1400, 71, 10, r.RCC_APB2ENR, 5),
    7: ("UART7", 0x4000_7800, 82, 12, r.RCC_APB1ENR, 30),
    8: ("UART8", 0x4000_7C00, 83, 14, r.RCC_APB1ENR, 31),
}
"""Name, base, interrupt, field in RCC_DCKCFGR2, enable register and bit."""

DMAS = (
    ("DMA1", 0x4002_6000, (11, 12, 13, 14, 15, 16, 17, 47), 21),
    ("DMA2", 0x4002_6400, (56, 57, 58, 59, 60, 68, 69, 70), 22),
)
TIMERS = (
    ("TIM2", 0x4000_0000, 28, 32, 0),
    ("TIM3", 0x4000_0400, 29, 16, 1),
    ("TIM4", 0x4000_0800, 30, 16, 2),
    ("TIM5", 0x4000_0C00, 50, 32, 3),
)

UNMODELLED = (
    ("TIM6", 0x4000_1000), ("TIM7", 0x4000_1400), ("TIM12", 0x4000_1800), ("TIM13", 0x4000_1C00),
    ("TIM14", 0x4000_2000), ("LPTIM1", 0x4000_2400), ("RTC", 0x4000_2800), ("WWDG", 0x4000_2C00),
    ("SPI2", 0x4000_3800), ("SPI3", 0x4000_3C00), ("SPDIFRX", 0x4000_4000), ("I2C1", 0x4000_5400),
    ("I2C2", 0x4000_5800), ("I2C3", 0x4000_5C00), ("I2C4", 0x4000_6000), ("CAN1", 0x4000_6400),
    ("CAN2", 0x4000_6800), ("CEC", 0x4000_6C00), ("DAC", 0x4000_7400), ("TIM1", 0x4001_0000),
    ("TIM8", 0x4001_0400), ("ADC", 0x4001_2000), ("SDMMC1", 0x4001_2C00), ("SPI1", 0x4001_3000),
    ("SPI4", 0x4001_3400), ("EXTI", 0x4001_3C00), ("TIM9", 0x4001_4000), ("TIM10", 0x4001_4400),
    ("TIM11", 0x4001_4800), ("SPI5", 0x4001_5000), ("SPI6", 0x4001_5400), ("SAI1", 0x4001_5800),
    ("SAI2", 0x4001_5C00), ("LCD-TFT", 0x4001_6800), ("CRC", 0x4002_3000), ("DMA2D", 0x4002_B000),
    ("DCMI", 0x5005_0000), ("CRYP", 0x5006_0000), ("HASH", 0x5006_0400), ("RNG", 0x5006_0800),
    ("FMC", 0xA000_0000), ("QUADSPI", 0xA000_1000),
)  # fmt: skip

LARGE_UNMODELLED = (
    ("BKPSRAM", 0x4002_4000, 0x1000),
    ("ETHERNET MAC", 0x4002_8000, 0x1400),
    ("USB OTG HS", 0x4004_0000, 0x4_0000),
    ("USB OTG FS", 0x5000_0000, 0x4_0000),
    ("ITM", 0xE000_0000, 0x1000),
    ("FPB", 0xE000_2000, 0x1000),
    ("TPIU", 0xE004_0000, 0x1000),
    ("ETM", 0xE004_1000, 0x1000),
    ("ROM table", 0xE00F_E000, 0x2000),
)


P = TypeVar("P", bound=Peripheral)


@dataclass
class Peripherals:
    """Everything on the buses of one twin; `all` in the order of their creation."""

    all: list[Peripheral]
    rcc: Rcc
    scb: Scb
    usarts: dict[int, Usart]
    gpios: dict[str, Gpio]

    def reset(self, *, power_on: bool = True) -> None:
        """All registers take their reset values; RCC keeps its flags, debug logic needs a power-on."""
        for peripheral in self.all:
            if power_on or not peripheral.POWER_ON_ONLY:
                peripheral.reset()

    @property
    def watchdog_bites(self) -> bool:
        """The independent watchdog runs, and DBGMCU does not freeze it while the core is halted."""
        return self.iwdg.started and not self.dbgmcu.freezes_iwdg

    @property
    def core_debug(self) -> CoreDebug:
        """DHCSR to DEMCR."""
        return self._only(CoreDebug)

    @property
    def dwt(self) -> Dwt:
        """Cycle counter and comparators."""
        return self._only(Dwt)

    @property
    def dbgmcu(self) -> Dbgmcu:
        """What goes on while the core is halted."""
        return self._only(Dbgmcu)

    @property
    def iwdg(self) -> Iwdg:
        """The independent watchdog."""
        return self._only(Iwdg)

    def _only(self, kind: type[P]) -> P:
        return next(peripheral for peripheral in self.all if isinstance(peripheral, kind))


def build(machine: Machine, bus: Bus, exceptions: ExceptionUnit, seed: int = 0) -> Peripherals:
    """Makes every peripheral, wires their clocks and attaches them to the bus.

    `seed` decides what an interrupted flash operation leaves behind.
    """
    rcc = Rcc(machine)
    scb = Scb(machine, exceptions)
    every: list[Peripheral] = [rcc, machine.nvic, scb, *_core(machine), *_always_on(machine, rcc, seed)]
    dmas = [_gated(rcc, Dma(machine, n, base, irqs), r.RCC_AHB1ENR, bit) for n, base, irqs, bit in DMAS]
    machine.dma = DmaRequests({dma.name: dma for dma in dmas})
    usarts = {
        number: _gated(rcc, Usart(machine, name, base, irq, select), register, bit)
        for number, (name, base, irq, select, register, bit) in USARTS.items()
    }
    rcc.kernel_users = list(usarts.values())
    gpios = {
        f"GPIO{letter}": _gated(
            rcc, Gpio(machine, f"GPIO{letter}", 0x4002_0000 + 0x400 * i), r.RCC_AHB1ENR, i
        )
        for i, letter in enumerate("ABCDEFGHIJK")
    }
    timers = [
        _gated(rcc, Timer(machine, name, base, irq, width), r.RCC_APB1ENR, bit)
        for name, base, irq, width, bit in TIMERS
    ]
    every += [*dmas, *usarts.values(), *gpios.values(), *timers]
    every += [Unmodelled(machine, name, base) for name, base in UNMODELLED]
    every += [Unmodelled(machine, name, base, size) for name, base, size in LARGE_UNMODELLED]
    for peripheral in every:
        bus.attach(peripheral)
    return Peripherals(every, rcc, scb, usarts, gpios)


def _core(machine: Machine) -> list[Peripheral]:
    core_debug, dbgmcu = CoreDebug(machine), Dbgmcu(machine)
    return [
        AuxiliaryControl(machine), SysTick(machine), Mpu(machine), Stir(machine), FpuContext(machine),
        CacheMaintenance(machine), core_debug, dbgmcu, Dwt(machine, core_debug, dbgmcu),
    ]  # fmt: skip


def _always_on(machine: Machine, rcc: Rcc, seed: int) -> list[Peripheral]:
    flash = machine.flash = FlashInterface(machine, seed=seed)
    pwr = _gated(rcc, Pwr(machine), r.RCC_APB1ENR, 28)
    syscfg = _gated(rcc, Peripheral(machine, "SYSCFG", 0x4001_3800), r.RCC_APB2ENR, 14)
    watch_supply(machine, flash, pwr)
    return [flash, pwr, syscfg, Iwdg(machine)]


def _gated(rcc: Rcc, peripheral: P, register: int, bit: int) -> P:
    rcc.gate(peripheral, register, bit)
    return peripheral
