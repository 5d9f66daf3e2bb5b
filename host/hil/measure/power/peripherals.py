"""What a peripheral's clock draws, in µA per MHz of its bus.

S: STM32F722/F723 data sheet, peripheral current consumption, taken as its column for voltage scale 1. A
block that the list does not have stands for its likes: one UART for all eight. What has no likes in the
list counts nothing, and `UNLISTED` names it.
"""

from __future__ import annotations

from enum import IntEnum

from hil.measure.power.coefficient import Coefficient

_S = "S: STM32F722/F723 data sheet, peripheral current consumption"


class BusOf(IntEnum):
    """Which clock a peripheral's consumption goes with."""

    AHB = 0
    APB1 = 1
    APB2 = 2


def _per_mhz(value: float, which: str, uncertainty: float | None = None) -> Coefficient:
    return Coefficient(value, "µA/MHz", f"{_S}: {which}", uncertainty)


GPIO = _per_mhz(3.6, "GPIO port")
DMA = _per_mhz(8 + 3.01, "DMA2, 3.01 a stream in use + 8; one stream is assumed", 3.01)
USART = _per_mhz(12.4, "USART1; the other UARTs are taken for its likes")
SPI = _per_mhz(3.2, "SPI1; the others are taken for its likes")
TIMER = _per_mhz(19.3, "TIM2; TIM3 to TIM5, of the same kind, are taken for its likes")

_LISTED: dict[str, tuple[BusOf, Coefficient]] = {
    **{f"GPIO{port}": (BusOf.AHB, GPIO) for port in "ABCDEFGHIJK"},
    **{f"DMA{number}": (BusOf.AHB, DMA) for number in (1, 2)},
    **{f"USART{number}": (BusOf.APB1, USART) for number in (2, 3)},
    **{f"UART{number}": (BusOf.APB1, USART) for number in (4, 5, 7, 8)},
    **{f"USART{number}": (BusOf.APB2, USART) for number in (1, 6)},
    **{f"SPI{number}": (BusOf.APB1, SPI) for number in (2, 3)},
    **{f"SPI{number}": (BusOf.APB2, SPI) for number in (1, 4, 5, 6)},
    **{f"TIM{number}": (BusOf.APB1, TIMER) for number in (2, 3, 4, 5)},
}
LISTED = dict(_LISTED)

UNLISTED = (
    "TIM1", "TIM6", "TIM7", "TIM8", "TIM9", "TIM10", "TIM11", "TIM12", "TIM13", "TIM14", "LPTIM1", "WWDG",
    "SPDIFRX", "I2C1", "I2C2", "I2C3", "I2C4", "CAN1", "CAN2", "CEC", "PWR", "DAC", "ADC1", "ADC2", "ADC3",
    "SDMMC1", "SYSCFG", "SAI1", "SAI2", "LTDC", "CRC", "BKPSRAM", "DMA2D", "ETHMAC", "ETHMACTX", "ETHMACRX",
    "ETHMACPTP", "OTGHS", "OTGHSULPI", "DCMI", "CRYP", "HASH", "RNG", "OTGFS", "FMC", "QSPI",
)  # fmt: skip
"""Peripherals without a coefficient. DTCM, SRAM, flash interface and bus matrix (15.8 µA/MHz in the list)
are not here: the chip cannot run without them, so its current contains them."""
