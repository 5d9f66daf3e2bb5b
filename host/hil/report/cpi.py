"""CPI stacks: what their parts are called, and how they look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from rich.text import Text

from hil.report import glyphs as g
from hil.report.bars import cells
from hil.twin.profile import Class

MOSTLY_ISSUING: Final = 0.7
"""From this share on a function is said to be issuing; below, it is its largest stall that counts."""


class Look(NamedTuple):
    """The letter stands for the class where there are no colours."""

    label: str
    letter: str
    colour: str


LOOKS: Final[dict[Class, Look]] = {
    Class.ISSUE: Look("issue", g.FULL, g.GREEN),
    Class.MAC: Look("MAC", "m", g.VERMILLION),
    Class.LOAD: Look("load-use", "l", g.ORANGE),
    Class.BRANCH: Look("branch", "b", g.PURPLE),
    Class.FETCH: Look("I-miss", "i", g.YELLOW),
    Class.DATA: Look("D-miss", "d", g.BLUE),
    Class.BANK: Look("bank", "k", g.SKY),
    Class.OTHER: Look("other", "o", g.SILVER),
}


def dominant(cpi: Mapping[Class, int]) -> Class:
    """What a CPI stack is about: issuing, or its largest stall."""
    whole = sum(cpi.values())
    stalls = {cls: ticks for cls, ticks in cpi.items() if cls is not Class.ISSUE}
    if cpi[Class.ISSUE] >= MOSTLY_ISSUING * whole:
        return Class.ISSUE
    return max(stalls, key=lambda cls: (stalls[cls], -cls))


def bar(cpi: Mapping[Class, int], width: int) -> Text:
    """The stack as a bar: a line for issuing, letters for stalls."""
    text = Text()
    for cls, count in zip(LOOKS, cells([cpi[cls] for cls in LOOKS], width), strict=True):
        text.append(LOOKS[cls].letter * count, style=LOOKS[cls].colour)
    return text


def legend() -> Text:
    """What the letters of `bar` mean."""
    text = Text()
    for look in LOOKS.values():
        text.append(look.letter, style=look.colour).append(f" {look.label}   ")
    text.rstrip()
    return text
