"""Whether the sensor still looks at the world: what it gives changes from sample to sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.session.bus import Bus

CODE = "sensor-stuck"


class SensorWatch:
    """Compares each input with the one before.

    A picture of noise and light never comes twice, and never has one value everywhere; where the recorded
    data themselves do, that is no fault of the sensor.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._last: tuple[NDArray[np.int8], NDArray[np.int8]] | None = None

    def stuck(self, given: NDArray[np.int8], recorded: NDArray[np.int8]) -> str:
        """Why `given` cannot be trusted, empty where it can.

        `recorded`, of the same shape, is what the sensor is looking at.
        """
        why = ""
        last = self._last
        if _is_flat(given) and not _is_flat(recorded):
            why = f"the sensor gives {int(given.flat[0])} everywhere"
        elif last is not None and np.array_equal(given, last[0]) and not np.array_equal(recorded, last[1]):
            why = "the sensor repeats the sample before, bit for bit"
        self._last = given, recorded
        if why:
            hint = "its samples have failed and were not sent; see samples.csv"
            self._bus.warn_once(CODE, why, hint)
        return why


def _is_flat(data: NDArray[np.int8]) -> bool:
    return data.size > 1 and bool((data == data.flat[0]).all())
