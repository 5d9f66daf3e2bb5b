"""Whether flash and regulator keep up with the clock: what a real chip answers with a crash."""

from __future__ import annotations

from hil.twin.machine import Machine
from hil.twin.peripherals.flash import FlashInterface
from hil.twin.peripherals.pwr import OVERDRIVE_NEEDED_ABOVE_HZ, Pwr


def watch_supply(machine: Machine, flash: FlashInterface, pwr: Pwr) -> None:
    """Warns when firmware raises HCLK beyond what wait states and regulator allow."""

    def check() -> None:
        hz = machine.tree.hclk_hz
        if not flash.latency_allows(hz):
            machine.warn(f"FLASH_ACR has too few wait states for {hz // 1_000_000} MHz")
        if hz > OVERDRIVE_NEEDED_ABOVE_HZ and not pwr.overdrive:
            machine.warn(f"PWR_CR1: {hz // 1_000_000} MHz needs the over-drive mode")

    machine.tree.listeners.append(lambda: machine.tree.after_change.append(check))
