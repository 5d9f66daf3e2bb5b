"""What a run with faults must leave in any case: one folder, closed; of one that was killed, partial."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hil.faults.kinds.orchestrator_kill import ORCHESTRATOR_KILL
from hil.faults.parse import parse_fault
from hil.report.stored import runs_in
from hil.session.manifest import State, verify


def wrong_folders(runs: Path, inject: Iterable[str]) -> tuple[str, ...]:
    """What is wrong with what the only run in `runs` left, which carried `inject`."""
    killed = any(parse_fault(text).kind is ORCHESTRATOR_KILL for text in inject)
    wanted = State.PARTIAL if killed else State.INTACT
    states = [verify(one).state for one in runs_in(runs)]
    return () if states == [wanted] else (f"its folder is {', '.join(map(str, states)) or 'not there'}",)
