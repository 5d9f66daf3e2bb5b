"""Parsers of settings. Each raises ValueError with what is valid."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"whole numbers {least} to {most}")
        return int(text)

    return parse


def quantity(least: float, most: float) -> Callable[[str], float]:
    """A number, in the setting's unit."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise ValueError(f"{least:g} to {most:g}")
        return value

    return parse


def one_of(names: Sequence[str]) -> Callable[[str], str]:
    """One of some words."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(", ".join(names))
        return text

    return parse
