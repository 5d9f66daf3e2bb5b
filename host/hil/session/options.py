"""The settings of one run."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from hil.errors import UsageError
from hil.faults import plan
from hil.link.parse import parse_radio
from hil.wire.protocol import DEADLINE_MAX_MS

PERIOD_MAX_S = 3600.0
"""Device and host count time in 32 and 64 bits; a day would do as well."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True)
class RunOptions:
    """Checked when made: raises UsageError."""

    n: int = 100
    """Samples to run."""
    seed: int = 0
    """Picks the samples and the radio's fate."""
    deadline_ms: float = 1000.0
    """How long the device waits for the reply, from the start of its payload."""
    radio: str = "wifi-6m"
    """A preset, or settings as `hil.link.parse` takes them."""
    server_ms: float | None = None
    """A fixed time for the server half instead of the measured one, for runs that must repeat exactly."""
    period_s: float = 0.0
    """From one sample to the next, on the board's clock; the device idles meanwhile. 0: at once."""
    overlap: bool = True
    """Send the first bytes of a payload while the rest is computed, where the firmware can."""
    out: Path = Path("runs")
    """The folder that run folders are made in."""
    name: str | None = None
    """The end of the run folder's name; None: scheme, data set and board."""
    layer_samples: int = 8
    """So many samples at the start report the cycles of every layer."""
    keep_going: bool = True
    """Go on after a failed sample; False: the first one ends the run."""
    recoveries: int = 3
    """How often in a row a silent or crashed device is brought back before the run ends."""
    request_timeout_s: float = 5.0
    """Wall-clock limit of one request to the server half."""
    ready_timeout_s: float = 120.0
    """Wall-clock limit until the server half is ready."""
    inject: tuple[str, ...] = ()
    """Faults, as `hil.faults.parse` takes them."""
    transcript: bool = True
    """Keep the bytes of the wire in `wire.jsonl`."""

    def __post_init__(self) -> None:
        if self.n < 1:
            raise UsageError(f"a run of {self.n} samples", "take at least 1")
        parse_radio(self.radio).for_run(self.n)
        plan.check(self.inject, self.n)
        if not 1 <= self.deadline_ms <= DEADLINE_MAX_MS:
            raise UsageError(
                f"a deadline of {self.deadline_ms:g} ms", f"valid: 1 to {DEADLINE_MAX_MS} milliseconds"
            )
        if self.server_ms is not None and not 0 <= self.server_ms <= 60_000:
            raise UsageError(f"a server time of {self.server_ms:g} ms", "valid: 0 to 60000 milliseconds")
        if not 0 <= self.period_s <= PERIOD_MAX_S:
            raise UsageError(f"a period of {self.period_s:g} s", f"valid: 0 to {PERIOD_MAX_S:.0f} seconds")
        if self.seed < 0:
            raise UsageError(f"the seed {self.seed} is negative", "seeds start at 0")
        if self.name is not None and not _NAME.fullmatch(self.name):
            raise UsageError(f"{self.name!r} cannot be a run's name", "letters, digits, '.', '_' and '-'")
        limits = (self.request_timeout_s, self.ready_timeout_s)
        if not all(math.isfinite(limit) and limit > 0 for limit in limits):
            raise UsageError("a timeout is not positive", "give seconds above 0")
        if self.layer_samples < 0 or self.recoveries < 0:
            raise UsageError("layer_samples and recoveries cannot be negative", "0 turns them off")

    @property
    def deadline_us(self) -> int:
        return round(self.deadline_ms * 1000)
