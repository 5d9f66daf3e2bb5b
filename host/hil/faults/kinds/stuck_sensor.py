"""A sensor that gives the same again and again."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hil.faults.injection import Injection
from hil.faults.kind import Kind, Layer, Setting
from hil.faults.outcome import Outcome
from hil.faults.values import one_of


class StuckSensor(Injection):
    """Repeats what it gave last, or gives one value everywhere."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._last: NDArray[np.int8] | None = None

    def input(self, data: NDArray[np.int8]) -> NDArray[np.int8]:
        given = data
        if self.armed and (self.settings["gives"] == "constant" or self._last is None):
            value = self.random.randrange(-128, 128)
            self.took_place(f"{value} everywhere")
            given = np.full_like(data, value)
        elif self.armed and self._last is not None:
            self.took_place("the sample before, again")
            given = self._last
        self._last = given
        return given


STUCK_SENSOR: Final = Kind(
    "stuck-sensor",
    Layer.DEVICE,
    "the sensor gives the sample before, or one value everywhere",
    frozenset({Outcome.FAILED}),
    StuckSensor,
    (Setting("gives", "repeat", one_of(("repeat", "constant")), "", "repeat, or constant"),),
    trials=("rate=0.4", "rate=0.4,gives=constant"),
)
