"""What faults inside the chip have in common: a twin, and the instruction they come at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

from hil.boards.twin import RunningTwin
from hil.faults.injection import Injection

if TYPE_CHECKING:
    from hil.boards.protocol import RunningBoard
    from hil.twin import Twin

TWIN: Final = frozenset({"twin"})
"""Only there an instruction can be named."""
FIRST_SPAN: Final = 20_000
"""Instructions of a sample, before one was counted; AgileNN on the digits takes 160,000."""


class CoreInjection(Injection, ABC):
    """Strikes an armed sample at one of its instructions, all of which are as likely."""

    exact = False
    """Whether the very instruction matters, or the block that it is in will do."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._twin: Twin | None = None
        self._span = FIRST_SPAN
        self._begun = 0

    def running(self, board: RunningBoard) -> None:
        self._twin = board.twin if isinstance(board, RunningTwin) else None

    def begin(self, index: int) -> None:
        if self._twin is None:
            return
        self._begun = self._twin.instructions
        if self.armed:
            twin, at = self._twin, self.random.randrange(self._span)
            twin.at_instruction(self._begun + at, lambda: self.strike(twin, at), exact=self.exact)

    def end(self, index: int) -> None:
        if self._twin is None:
            return
        if self.armed:
            self._twin.forget_appointments()
            self.after(self._twin)
        elif (span := self._twin.instructions - self._begun) > 0:
            self._span = span

    @abstractmethod
    def strike(self, twin: Twin, at: int) -> None:
        """The core is between two instructions, `at` of them after the sample's begin."""

    def after(self, twin: Twin) -> None:
        """An armed sample has ended; the twin is the one that runs now."""


@dataclass(frozen=True)
class Object:
    """A constant or variable of the image."""

    name: str
    address: int
    size: int


def objects(twin: Twin) -> tuple[Object, ...]:
    """Those that the image has symbols for, by address."""
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    found = set()
    assert twin.image.path is not None
    with twin.image.path.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if isinstance(section, SymbolTableSection):
                for symbol in section.iter_symbols():
                    if symbol["st_info"]["type"] == "STT_OBJECT" and symbol["st_size"]:
                        found.add(Object(symbol.name, symbol["st_value"], symbol["st_size"]))
    return tuple(sorted(found, key=lambda one: (one.address, one.name)))


def any_byte(found: tuple[Object, ...], random: Random) -> tuple[Object, int]:
    """One of all their bytes, each as likely: the object, and the byte's address."""
    place = random.randrange(sum(one.size for one in found))
    for one in found:
        if place < one.size:
            return one, one.address + place
        place -= one.size
    raise AssertionError("the place is among them")
