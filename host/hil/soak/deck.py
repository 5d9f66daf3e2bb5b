"""What a soak runs next: schemes, radios and faults, drawn from one seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from hil.faults.kind import Kind
from hil.faults.kinds.orchestrator_kill import ORCHESTRATOR_KILL
from hil.faults.registry import KINDS

Card = TypeVar("Card")

RATE: Final = 0.15
"""The chance of each sample, for each fault that a run carries."""
SCHEMES: Final = ("agilenn", "spinn", "deepcod", "mcunet", "edge_only")
RADIOS: Final = ("wifi-6m", "ble-270k", "wifi-6m:loss=0.05", "wifi-6m:loss=0.1,burst=4")
ROUND: Final = 8
"""Of so many runs one has faults of a server half in a process of its own, which takes seconds to start;
of twice as many, one is killed."""
_LOCAL_ONLY: Final = "mcunet"


@dataclass(frozen=True)
class Draw:
    """One run of a soak."""

    number: int
    scheme: str
    radio: str
    seed: int
    inject: tuple[str, ...]


def draws(seed: int, board: str) -> Iterator[Draw]:
    """For ever, and the same for the same `seed`. Each kind comes once before any comes again."""
    random = Random(f"soak {seed}")
    kinds = [kind for kind in KINDS.values() if kind.boards is None or board in kind.boards]
    kinds.remove(ORCHESTRATOR_KILL)
    here = _shuffled([kind for kind in kinds if not kind.own_server], random)
    served = _shuffled([kind for kind in kinds if kind.own_server], random)
    schemes = _shuffled(SCHEMES, random)
    number = 0
    while True:
        place = number % (2 * ROUND)
        if place == 2 * ROUND - 1:
            orders: tuple[str, ...] = (f"{ORCHESTRATOR_KILL.name}:at={random.randrange(1, 5)}",)
        else:
            deck = served if place % ROUND == ROUND // 2 else here
            orders = tuple(dict.fromkeys(_order(next(deck)) for _ in range(2)))
        scheme = next(schemes)
        if scheme == _LOCAL_ONLY and place % ROUND == ROUND // 2:
            scheme = next(schemes)
        yield Draw(number, scheme, random.choice(RADIOS), random.randrange(1 << 30), orders)
        number += 1


def _order(kind: Kind) -> str:
    """Those that end their run come in its second half."""
    return f"{kind.name}:at=60%" if kind.ends_run else f"{kind.name}:rate={RATE}"


def _shuffled(cards: Sequence[Card], random: Random) -> Iterator[Card]:
    while True:
        yield from random.sample(cards, len(cards))
