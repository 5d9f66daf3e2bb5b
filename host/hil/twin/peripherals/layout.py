"""Where the peripherals of the STM32F746 lie (RM0385 table 1), and which of them the twin models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from hil.twin.bus import Bus
from hil.twin.exceptions import ExceptionUnit
from hil.twin.low_power import LowPower
from hil.twin.machine import Machine
from hil.twin.mpu import MpuRegions
from hil.twin.peripherals import rcc as r
from hil.twin.peripherals.backup_domain import BackupDomain
from hil.twin.peripherals.backup_sram import BackupSram
from hil.twin.peripherals.coresight import ControlSpaceIdentity, rom_tables, trace_ports
from hil.twin.peripherals.crc import Crc
from hil.twin.peripherals.debug import CoreDebug, Dbgmcu
from hil.twin.peripherals.dma import Dma, DmaRequests
from hil.twin.peripherals.dwt import Dwt
from hil.twin.peripherals.exti import Exti
from hil.twin.peripherals.flash import FlashInterface
from hil.twin.peripherals.fpb import Fpb
from hil.twin.peripherals.gpio import Gpio
from hil.twin.peripherals.itm import Itm
from hil.twin.peripherals.iwdg import Iwdg
from hil.twin.peripherals.lptim import Lptim
from hil.twin.peripherals.peripheral import Peripheral
from hil.twin.peripherals.pwr import Pwr
from hil.twin.peripherals.rcc import Rcc
from hil.twin.peripherals.rng import Rng
from hil.twin.peripherals.rtc import Rtc
from hil.twin.peripherals.scb import Scb
from hil.twin.peripherals.supply import watch_supply
from hil.twin.peripherals.syscfg import Syscfg
from hil.twin.peripherals.system_control import AuxiliaryControl, CacheMaintenance, FpuContext, Mpu, Stir
from hil.twin.peripherals.systick import SysTick
from hil.twin.peripherals.tim import Timer
from hil.twin.peripherals.tim_registers import TIMERS
from hil.twin.peripherals.unmodelled import Unmodelled
from hil.twin.peripherals.usart import Usart
from hil.twin.peripherals.wwdg import Wwdg
from hil.twin.protection import Protection
from hil.twin.shared_line import SharedLines

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

LPTIM1_LINE = 23
"""Of EXTI (RM0385 11.9.1)."""
STAMP_PIN = 13
"""RTC_TS is PC13 (RM0385 29.3.14)."""

UNMODELLED = (
    ("SPI2", 0x4000_3800), ("SPI3", 0x4000_3C00), ("SPDIFRX", 0x4000_4000), ("I2C1", 0x4000_5400),
    ("I2C2", 0x4000_5800), ("I2C3", 0x4000_5C00), ("I2C4", 0x4000_6000), ("CAN1", 0x4000_6400),
    ("CAN2", 0x4000_6800), ("CEC", 0x4000_6C00), ("DAC", 0x4000_7400), ("ADC", 0x4001_2000),
    ("SDMMC1", 0x4001_2C00), ("SPI1", 0x4001_3000), ("SPI4", 0x4001_3400), ("SPI5", 0x4001_5000),
    ("SPI6", 0x4001_5400), ("SAI1", 0x4001_5800), ("SAI2", 0x4001_5C00), ("LCD-TFT", 0x4001_6800),
    ("DMA2D", 0x4002_B000), ("DCMI", 0x5005_0000), ("CRYP", 0x5006_0000), ("HASH", 0x5006_0400),
    ("FMC", 0xA000_0000), ("QUADSPI", 0xA000_1000),
)  # fmt: skip

ETH_HANDSHAKES = {0x10: 1 << 0, 0x1000: 1 << 0, 0x1018: 1 << 20}
"""MACMIIAR.MB, DMABMR.SR, DMAOMR.FTF (RM0385 38.8)."""
OTG_HANDSHAKES = {0x10: 0x37}
OTG_READY = {0x10: 1 << 31}
"""GRSTCTL: resets and FIFO flushes, and AHBIDL (RM0385 37.15.5)."""


P = TypeVar("P", bound=Peripheral)


@dataclass
class Peripherals:
    """Everything on the buses of one twin; `all` in the order of their creation."""

    all: list[Peripheral]
    rcc: Rcc
    scb: Scb
    itm: Itm
    usarts: dict[int, Usart]
    gpios: dict[str, Gpio]
    timers: dict[str, Timer]
    lptim: Lptim
    low_power: LowPower

    def power_on(self, vbat: bool) -> None:
        """What outlives resets takes its power-on value; a reset follows."""
        for peripheral in self.all:
            peripheral.power_on(vbat)
            if peripheral.POWER_ON_ONLY:
                peripheral.reset()

    def reset(self) -> None:
        """All registers take their reset values; RCC keeps its flags, debug logic needs a power-on."""
        for peripheral in self.all:
            if not peripheral.POWER_ON_ONLY:
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
    def fpb(self) -> Fpb:
        """Breakpoints."""
        return self._only(Fpb)

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


def build(
    machine: Machine,
    bus: Bus,
    exceptions: ExceptionUnit,
    mpu: MpuRegions,
    protection: Protection,
    seed: int = 0,
) -> Peripherals:
    """Makes every peripheral, wires their clocks and attaches them to the bus.

    `seed` decides what an interrupted flash operation leaves behind.
    """
    machine.bus = bus
    machine.lines = SharedLines(machine.nvic)
    rcc = Rcc(machine)
    scb = Scb(machine, exceptions)
    core_debug = CoreDebug(machine)
    itm = Itm(machine, core_debug)
    gpios = {
        f"GPIO{letter}": _gated(
            rcc, Gpio(machine, f"GPIO{letter}", 0x4002_0000 + 0x400 * i), r.RCC_AHB1ENR, i
        )
        for i, letter in enumerate("ABCDEFGHIJK")
    }
    pwr = _gated(rcc, Pwr(machine), r.RCC_APB1ENR, 28)
    backup_sram = _gated(rcc, BackupSram(machine, pwr), r.RCC_AHB1ENR, 18)
    every: list[Peripheral] = [rcc, machine.nvic, scb, Mpu(machine, mpu, protection), itm, core_debug]
    every += [*_core(machine, core_debug, exceptions), pwr, backup_sram]
    every += [*_always_on(machine, rcc, pwr, seed), *gpios.values(), *_pin_events(machine, rcc, pwr, gpios)]
    dmas = [_gated(rcc, Dma(machine, n, base, irqs), r.RCC_AHB1ENR, bit) for n, base, irqs, bit in DMAS]
    machine.dma = DmaRequests({dma.name: dma for dma in dmas})
    usarts = {
        number: _gated(rcc, Usart(machine, name, base, irq, select), register, bit)
        for number, (name, base, irq, select, register, bit) in USARTS.items()
    }
    timers = _timers(machine, rcc)
    lptim = _gated(rcc, Lptim(machine), r.RCC_APB1ENR, 9)
    rcc.kernel_users = [*usarts.values(), lptim]
    every += [*dmas, *usarts.values(), *timers.values(), lptim]
    every += [Unmodelled(machine, name, base) for name, base in UNMODELLED]
    every.append(Unmodelled(machine, "ETHERNET MAC", 0x4002_8000, 0x1400, ETH_HANDSHAKES))
    for name, base in (("USB OTG HS", 0x4004_0000), ("USB OTG FS", 0x5000_0000)):
        every.append(Unmodelled(machine, name, base, 0x4_0000, OTG_HANDSHAKES, OTG_READY))
    exti = next(peripheral for peripheral in every if isinstance(peripheral, Exti))
    lptim.wake_line = lambda level: exti.set_line(LPTIM1_LINE, level)
    for peripheral in every:
        bus.attach(peripheral)
    low_power = LowPower(machine, scb, pwr, rcc, backup_sram)
    return Peripherals(every, rcc, scb, itm, usarts, gpios, timers, lptim, low_power)


def _timers(machine: Machine, rcc: Rcc) -> dict[str, Timer]:
    """The timers, each wired to those that its ITRx come from."""
    enables = {1: r.RCC_APB1ENR, 2: r.RCC_APB2ENR}
    timers = {
        model.name: _gated(rcc, Timer(machine, model), enables[model.apb], model.bit) for model in TIMERS
    }
    for timer in timers.values():
        timer.triggers.masters = tuple(timers[name] for name in timer.model.triggers)
        for master in timer.triggers.masters:
            master.triggers.followers.append(timer)
    return timers


def _core(machine: Machine, core_debug: CoreDebug, exceptions: ExceptionUnit) -> list[Peripheral]:
    dbgmcu = Dbgmcu(machine)
    return [
        AuxiliaryControl(machine), SysTick(machine), Stir(machine), FpuContext(machine, exceptions.fp),
        CacheMaintenance(machine), dbgmcu, Dwt(machine, core_debug, dbgmcu, exceptions), Fpb(machine),
        ControlSpaceIdentity(machine), *trace_ports(machine), *rom_tables(machine),
    ]  # fmt: skip


def _always_on(machine: Machine, rcc: Rcc, pwr: Pwr, seed: int) -> list[Peripheral]:
    flash = machine.flash = FlashInterface(machine, seed=seed)
    watch_supply(machine, flash, pwr)
    return [
        flash,
        Iwdg(machine),
        _gated(rcc, Wwdg(machine), r.RCC_APB1ENR, 11),
        _gated(rcc, Crc(machine), r.RCC_AHB1ENR, 12),
        _gated(rcc, Rng(machine), r.RCC_AHB2ENR, 6),
    ]


def _pin_events(machine: Machine, rcc: Rcc, pwr: Pwr, gpios: dict[str, Gpio]) -> list[Peripheral]:
    """What pins and the RTC set off: EXTI, wake-up pins, time stamps."""
    syscfg = _gated(rcc, Syscfg(machine), r.RCC_APB2ENR, 14)
    exti = Exti(machine, syscfg, list(gpios.values()))
    rtc = Rtc(machine, pwr)
    rtc.on_line = exti.set_line
    stamp = gpios["GPIOC"]
    stamp.listeners.append(lambda: rtc.set_stamp_pin(bool(stamp.level >> STAMP_PIN & 1)))
    rcc.backup = BackupDomain(rcc, pwr, rtc)
    pwr.watch_pins(gpios)
    return [syscfg, exti, rtc]


def _gated(rcc: Rcc, peripheral: P, register: int, bit: int) -> P:
    rcc.gate(peripheral, register, bit)
    return peripheral
