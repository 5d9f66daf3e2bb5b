"""One run with faults, judged sample by sample against what is right, and cut off where it hangs."""

from __future__ import annotations

import contextlib
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from hil import interrupts
from hil.errors import HilError
from hil.faults.in_child import START_S, run_in_child
from hil.faults.kinds.orchestrator_kill import ORCHESTRATOR_KILL
from hil.faults.outcome import NEVER, Outcome, Truth, outcome_of
from hil.faults.parse import parse_fault
from hil.session.events import Event, FaultInjected, RunFinished, SampleFinished, SampleRecord

if TYPE_CHECKING:
    from hil.pipeline import Plan
    from hil.server.answer import Server
    from hil.session.options import RunOptions

SAMPLE_LIMIT_S: Final = 60.0
"""Wall-clock time in which some event has to come. The longest that a run waits on purpose is the server's
request timeout, and a device that computes for ever is given up in virtual time."""


@dataclass(frozen=True)
class Struck:
    """A sample that a fault hit, and how it ended."""

    kind: str
    index: int
    detail: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Trial:
    """What one run brought."""

    struck: tuple[Struck, ...]
    records: tuple[SampleRecord, ...]
    summary: dict[str, Any]
    """Empty where the run never began."""
    error: str = ""
    """What ended the run early."""
    wrong: tuple[str, ...] = ()
    """Samples that no fault hit and that ended as none ever may, and what else must never be."""

    def outcomes(self, kind: str) -> Counter[Outcome]:
        """How the samples that `kind` hit ended."""
        return Counter(one.outcome for one in self.struck if one.kind == kind)

    @property
    def issues(self) -> frozenset[str]:
        """Codes of the summary's issues."""
        return frozenset(issue["code"] for issue in self.summary.get("issues", ()))


class HungError(BaseException):
    """Nothing came within the limit. Nobody on the way may catch it as a fault of the board."""


@dataclass
class Watcher:
    """A reporter that remembers, and sets the alarm again whenever something happens."""

    limit_s: float
    records: list[SampleRecord] = field(default_factory=list)
    faults: list[FaultInjected] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    def handle(self, event: Event) -> None:
        signal.setitimer(signal.ITIMER_REAL, self.limit_s)
        if isinstance(event, SampleFinished):
            self.records.append(event.record)
        elif isinstance(event, FaultInjected):
            self.faults.append(event)
        elif isinstance(event, RunFinished):
            self.summary = event.summary

    def close(self) -> None:
        pass


def trial(plan: Plan, options: RunOptions, truths: Sequence[Truth], limit_s: float = SAMPLE_LIMIT_S) -> Trial:
    """Runs `plan` with the faults of `options`; `truths` has one entry for each sample of the test split.

    A fault of the server half needs one that can break, so it is a process then; else it is in this one.
    Errors end the trial and are told. To be called in the main thread.
    """
    watcher = Watcher(limit_s)
    if any(parse_fault(text).kind is ORCHESTRATOR_KILL for text in options.inject):
        left = run_in_child(plan.request, options, START_S + limit_s)
        watcher.records, watcher.faults = list(left.records), list(left.faults)
        watcher.summary = left.summary or {}
        error, hung = left.error, left.hung
    else:
        error, hung = _watched(plan, options, watcher, limit_s)
    struck = tuple(
        _struck(fault, watcher, options.deadline_ms, truths, error, hung) for fault in watcher.faults
    )
    wrong = _wrong(watcher, options.deadline_ms, truths)
    if hung and not any(one.outcome is Outcome.HANG for one in struck):
        wrong = (*wrong, error)
    return Trial(struck, tuple(watcher.records), watcher.summary, error, wrong)


def _watched(plan: Plan, options: RunOptions, watcher: Watcher, limit_s: float) -> tuple[str, bool]:
    """Runs in this process: what ended it early, and whether it hung."""
    from hil.pipeline import run_pipeline

    kinds = [parse_fault(text).kind for text in options.inject]
    breaks = any(kind.own_server for kind in kinds)
    if any(kind.keyed for kind in kinds):
        plan = replace(plan, request=replace(plan.request, authenticate=True))
    error = ""
    hung = False
    try:
        with _alarm(limit_s):
            run_pipeline(plan, options, watcher, serve=None if breaks else _serve)
    except HungError:
        error, hung = f"nothing happened for {limit_s:g} s", True
    except HilError as failure:
        error = str(failure)
    return error, hung


def _wrong(watcher: Watcher, deadline_ms: float, truths: Sequence[Truth]) -> tuple[str, ...]:
    """What the faults of other samples did to those that were spared."""
    hit = {fault.sample for fault in watcher.faults}
    spared = [record for record in watcher.records if record.index not in hit]
    ends = [(record, outcome_of(record, deadline_ms, truths[record.sample])) for record in spared]
    return tuple(f"sample {record.index}, not hit: {end}" for record, end in ends if end in NEVER)


def _struck(
    fault: FaultInjected,
    watcher: Watcher,
    deadline_ms: float,
    truths: Sequence[Truth],
    error: str,
    hung: bool,
) -> Struck:
    record = next((record for record in watcher.records if record.index == fault.sample), None)
    if record is None:
        outcome = Outcome.HANG if hung else Outcome.FAILED
        return Struck(fault.kind, fault.sample, fault.detail, outcome, error)
    outcome = outcome_of(record, deadline_ms, truths[record.sample])
    reason = record.reason
    if outcome is Outcome.SILENT:
        reason = f"{record.outcome} {record.prediction}, not {truths[record.sample]}"
    elif outcome is Outcome.FAILED and record.outcome != "failed":
        reason = "the row says that it differs from the reference"
    return Struck(fault.kind, fault.sample, fault.detail, outcome, reason)


def _serve(bundle: Path) -> AbstractContextManager[Server | None]:
    from hil.bundle import read_manifest
    from hil.server.inline import InlineServer

    return nullcontext(None if read_manifest(bundle).payload is None else InlineServer(bundle))


@contextlib.contextmanager
def _alarm(limit_s: float) -> Iterator[None]:
    """Raises HungError where no event sets the alarm again for `limit_s`."""

    def ring(number: int, frame: FrameType | None) -> None:
        interrupts.unwind(HungError())

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
