"""A core that is reset in the middle of its work, or stops working."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hil.faults.kind import Kind, Layer, Setting
from hil.faults.kinds.core import TWIN, CoreInjection
from hil.faults.outcome import Outcome
from hil.faults.values import one_of

if TYPE_CHECKING:
    from hil.twin import Twin

_ENDS: Final = frozenset({Outcome.RETRIED, Outcome.FAILED})


class BrownOut(CoreInjection):
    """The supply dips: a reset between any two instructions."""

    exact = True

    def strike(self, twin: Twin, at: int) -> None:
        lost = self.settings["ram"] == "lost"
        self.took_place(f"reset after {at} instructions, RAM {'lost' if lost else 'kept'}")
        if lost:
            twin.power_off()
            twin.power_on()
        else:
            twin.brown_out()


class Watchdog(CoreInjection):
    """The core hangs, and the independent watchdog bites."""

    exact = True

    def strike(self, twin: Twin, at: int) -> None:
        self.took_place(f"the core hangs after {at} instructions")
        twin.hang()


BROWN_OUT: Final = Kind(
    "brown-out",
    Layer.DEVICE,
    "the supply dips and the chip is reset, between any two instructions",
    _ENDS | {Outcome.ANSWERED, Outcome.LOCAL, Outcome.FALLBACK},
    BrownOut,
    (Setting("ram", "kept", one_of(("kept", "lost")), "", "whether RAM keeps what it held"),),
    TWIN,
    trials=("rate=0.7", "rate=0.7,ram=lost"),
)
WATCHDOG: Final = Kind(
    "watchdog", Layer.DEVICE, "the core hangs until its watchdog resets it", _ENDS, Watchdog, (), TWIN
)
