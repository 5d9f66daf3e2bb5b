"""Bits that flip in the arenas or in flash, and flash that is misread for a while."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any, Final

from hil.faults.kind import Kind, Layer, Setting
from hil.faults.kinds.core import TWIN, CoreInjection, any_byte, objects
from hil.faults.outcome import Outcome
from hil.faults.values import one_of, whole

if TYPE_CHECKING:
    from hil.twin import Twin

_FLASH: Final = range(0x0800_0000, 0x0810_0000)
_ANY: Final = frozenset({Outcome.ANSWERED, Outcome.LOCAL, Outcome.FALLBACK, Outcome.RETRIED, Outcome.FAILED})
"""A flipped bit may change nothing, or everything; what it changes must be seen."""
_BITS: Final = Setting("bits", 1, whole(1, 64), "bits", "so many flip, each anywhere")


class ArenaBitFlip(CoreInjection):
    """In the arenas: maps, symbols, payload, codec tables, the input while it is there."""

    def strike(self, twin: Twin, at: int) -> None:
        arenas = tuple(one for one in objects(twin) if one.name.startswith("hil_model_arena"))
        flips = [
            (*any_byte(arenas, self.random), self.random.randrange(8)) for _ in range(self.settings["bits"])
        ]
        where = ", ".join(f"{one.name}+{address - one.address:#x} bit {bit}" for one, address, bit in flips)
        self.took_place(f"after {at} instructions: {where}")
        for _, address, bit in flips:
            twin.write(address, bytes([twin.read(address, 1)[0] ^ 1 << bit]))


class FlashFlip(CoreInjection):
    """Flips bits of flash: of the network's constants, of code, or of either."""

    def flip(self, twin: Twin, at: int, count: int) -> list[tuple[int, bytes]]:
        """Returns what was there, by address."""
        places = [self._place(twin) for _ in range(count)]
        masks = [1 << self.random.randrange(8) for _ in places]
        names = ", ".join(f"{name} {address:#010x}" for name, address in places)
        self.took_place(f"after {at} instructions: {names}")
        former = [(address, twin.read(address, 1)) for _, address in places]
        for (address, old), mask in zip(former, masks, strict=True):
            twin.write(address, bytes([old[0] ^ mask]))
        return former

    def _place(self, twin: Twin) -> tuple[str, int]:
        if self.settings["where"] == "weights":
            constants = tuple(
                one for one in objects(twin) if one.address in _FLASH and one.name.startswith("layer")
            )
            if constants:
                one, address = any_byte(constants, self.random)
                return one.name, address
        segment = next(one for one in twin.image.segments if one.load_address in _FLASH)
        return "flash", segment.load_address + self.random.randrange(len(segment.data))


class WeightBitFlip(FlashFlip):
    """They stay flipped until the board is flashed again."""

    def strike(self, twin: Twin, at: int) -> None:
        self.flip(twin, at, self.settings["bits"])


class FlashReadError(FlashFlip):
    """They are right again after a while."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._former: list[tuple[int, bytes]] = []

    def strike(self, twin: Twin, at: int) -> None:
        former = self.flip(twin, at, self.settings["bits"])
        self._former = former
        lasts = self.settings["instructions"]
        twin.at_instruction(twin.instructions + lasts, lambda: self.after(twin))

    def after(self, twin: Twin) -> None:
        for address, old in reversed(self._former):
            twin.write(address, old)
        self._former = []


_WHERE: Final = Setting(
    "where", "weights", one_of(("weights", "any")), "", "weights; or any byte of the image"
)
ARENA_BIT_FLIP: Final = Kind(
    "arena-bit-flip",
    Layer.DEVICE,
    "bits flip in the arenas in RAM",
    _ANY,
    ArenaBitFlip,
    (_BITS,),
    TWIN,
    trials=("rate=0.7,bits=8", "rate=0.7"),
)
WEIGHT_BIT_FLIP: Final = Kind(
    "weight-bit-flip",
    Layer.DEVICE,
    "bits flip in flash, and stay so until it is written again",
    _ANY,
    WeightBitFlip,
    (_BITS, _WHERE),
    TWIN,
    trials=("rate=0.5", "rate=0.5,bits=8", "rate=0.5,where=any"),
)
FLASH_READ_ERROR: Final = Kind(
    "flash-read-error",
    Layer.DEVICE,
    "bits of flash are misread for a while",
    _ANY,
    FlashReadError,
    (
        _BITS,
        _WHERE,
        Setting("instructions", 20_000, whole(1, 10**9), "instructions", "for so long"),
    ),
    TWIN,
    trials=("rate=0.7", "rate=0.7,bits=8", "rate=0.7,where=any"),
)
