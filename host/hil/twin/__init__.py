"""The twin: an emulated STM32F746 that runs the ELF a board gets, in virtual time."""

from hil.twin.image import Image, load_image
from hil.twin.machine import ResetCause
from hil.twin.stop import Stop, StopReason
from hil.twin.twin import Twin
from hil.twin.uart import Sent, Uart

__all__ = ["Image", "ResetCause", "Sent", "Stop", "StopReason", "Twin", "Uart", "load_image"]
