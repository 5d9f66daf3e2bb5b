"""Figures that others measured on an STM32F746 at 216 MHz, and what can be said of each."""

from __future__ import annotations

from dataclasses import dataclass

from hil.twin.timing.calibration.build import FLASH, RAM, Place


@dataclass(frozen=True)
class Published:
    """One case of the calibration set, from `networks`."""

    name: str
    network: str
    place: Place
    level: str
    milliseconds: float | None
    """None: nobody measured it; the model's figure is a baseline to compare versions with."""
    source: str
    unpacking_of_5_7: bool = False
    """Build the convolution with the weight unpacking of CMSIS-NN 5.7.0."""


CASES = (
    Published(
        "CIFAR-10 CNN, s8 kernels with 5.7.0's unpacking, in RAM",
        "cifar10_cnn",
        RAM,
        "-O2",
        136.0,
        "microTVM replication: CMSIS-NN 5.7.0, GCC 9.2.1; its cache settings are not known",
        unpacking_of_5_7=True,
    ),
    Published("CIFAR-10 CNN, s8 kernels, in RAM", "cifar10_cnn", RAM, "-O2", None, ""),
    Published("CIFAR-10 CNN, s8 kernels, in flash", "cifar10_cnn", FLASH, "-O2", None, ""),
    Published("AgileNN's extractor at 96 x 96, in flash", "agilenn_extractor", FLASH, "-Ofast", None, ""),
)
