"""Radio models."""

from hil.link.parse import parse_radio
from hil.link.presets import RADIOS
from hil.link.radio import Direction, Radio, Transfer

__all__ = ["RADIOS", "Direction", "Radio", "Transfer", "parse_radio"]
