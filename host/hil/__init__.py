"""hil: networks cut in two, one half on a microcontroller, both measured."""

__version__ = "0.1.0"
