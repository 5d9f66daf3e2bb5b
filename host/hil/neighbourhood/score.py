"""How much of a neighbourhood passes."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

ALMOST: Final = 0.9
"""From this share on, what fails is the exception."""


class Score(StrEnum):
    """Turbulence's interest is in the second."""

    ALL = "all"
    ALMOST_ALL = "almost all"
    SOME = "some"
    NONE = "none"
    UNKNOWN = "not asked"


def score(passed: int, asked: int) -> Score:
    """Of `asked` instances `passed` did."""
    if not asked:
        return Score.UNKNOWN
    if passed == asked:
        return Score.ALL
    if not passed:
        return Score.NONE
    return Score.ALMOST_ALL if passed >= ALMOST * asked else Score.SOME
