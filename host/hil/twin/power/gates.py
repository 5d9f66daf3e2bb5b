"""Which bit of RCC clocks which peripheral (RM0385 5.3.10 to 5.3.19)."""

from __future__ import annotations

from hil.twin.peripherals.rcc import RCC_AHB1ENR, RCC_AHB2ENR, RCC_AHB3ENR, RCC_APB1ENR, RCC_APB2ENR

ENABLE_TO_LOW_POWER = 0x20
"""From an xxxENR register to its xxxLPENR."""

LOW_POWER_RESET = {
    RCC_AHB1ENR: 0x7EF7_B7FF,
    RCC_AHB2ENR: 0x0000_00F1,
    RCC_AHB3ENR: 0x0000_0003,
    RCC_APB1ENR: 0xFFFF_CBFF,
    RCC_APB2ENR: 0x04F7_7F33,
}
"""Reset values of the xxxLPENR registers: whatever is on stays on in sleep."""


def _names(first: int, *names: str) -> dict[int, str]:
    return {first + place: name for place, name in enumerate(names)}


GATES: dict[int, dict[int, str]] = {
    RCC_AHB1ENR: {
        **_names(0, *(f"GPIO{port}" for port in "ABCDEFGHIJK")),
        **_names(12, "CRC"),
        **_names(18, "BKPSRAM"),
        **_names(21, "DMA1", "DMA2", "DMA2D"),
        **_names(25, "ETHMAC", "ETHMACTX", "ETHMACRX", "ETHMACPTP", "OTGHS", "OTGHSULPI"),
    },
    RCC_AHB2ENR: {0: "DCMI", **_names(4, "CRYP", "HASH", "RNG", "OTGFS")},
    RCC_AHB3ENR: _names(0, "FMC", "QSPI"),
    RCC_APB1ENR: {
        **_names(0, "TIM2", "TIM3", "TIM4", "TIM5", "TIM6", "TIM7", "TIM12", "TIM13", "TIM14", "LPTIM1"),
        **_names(11, "WWDG"),
        **_names(14, "SPI2", "SPI3", "SPDIFRX", "USART2", "USART3", "UART4", "UART5"),
        **_names(21, "I2C1", "I2C2", "I2C3", "I2C4", "CAN1", "CAN2", "CEC", "PWR", "DAC", "UART7", "UART8"),
    },
    RCC_APB2ENR: {
        **_names(0, "TIM1", "TIM8"),
        **_names(4, "USART1", "USART6"),
        **_names(8, "ADC1", "ADC2", "ADC3", "SDMMC1", "SPI1", "SPI4", "SYSCFG"),
        **_names(16, "TIM9", "TIM10", "TIM11"),
        **_names(20, "SPI5", "SPI6", "SAI1", "SAI2"),
        **_names(26, "LTDC"),
    },
}
"""By enable register: the bit of each peripheral. DTCMRAMEN (AHB1, 20) is left out: the core's current
contains its memories."""


def names_of(enabled: dict[int, int]) -> tuple[str, ...]:
    """The peripherals whose bits are set, in the order of registers and bits."""
    return tuple(
        name for register, bits in GATES.items() for bit, name in bits.items() if enabled[register] >> bit & 1
    )
