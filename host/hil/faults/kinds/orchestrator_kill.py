"""The process that runs the run, killed in the middle of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Final

from hil.faults.kind import Kind, Layer
from hil.faults.kinds.frames import FRAME, FrameInjection
from hil.faults.outcome import Outcome
from hil.faults.wire import Passed, Seen


class OrchestratorKill(FrameInjection):
    """SIGKILL, at one of the frames of an armed sample: nothing of this process comes after it."""

    def strike(self, seen: Seen) -> Sequence[Passed]:
        self.took_place(f"killed at {seen.name} {seen.way}")
        os.kill(os.getpid(), signal.SIGKILL)
        return ()


ORCHESTRATOR_KILL: Final = Kind(
    "orchestrator-kill",
    Layer.HOST,
    "this process is killed (SIGKILL): it ends hil itself",
    frozenset({Outcome.FAILED}),
    OrchestratorKill,
    (FRAME,),
    ends_run=True,
    usual=10,
    trials=("at=3",),
)
