"""What the dashboard knows, as an immutable value: `update(state, event, now_s) -> state`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from hil.session.events import (
    Event,
    FaultInjected,
    RunFinished,
    RunStarted,
    SampleFinished,
    SampleRecord,
    ServerLost,
    StageFinished,
    StageProgress,
    StageStarted,
    Warned,
)

RECENT_MAX: Final = 1000
"""Percentiles come from the latest samples only, so that an event costs the same in a long run."""

WARNINGS_MAX: Final = 20


@dataclass(frozen=True)
class Stage:
    """One stage before the samples; `seconds` is None while it runs."""

    name: str
    detail: str = ""
    done: int = 0
    total: int = 0
    seconds: float | None = None
    cached: bool = False
    began_s: float = 0.0


@dataclass(frozen=True)
class Tally:
    """Counts and sums over all samples so far."""

    samples: int = 0
    correct: int = 0
    float_known: int = 0
    float_correct: int = 0
    reference_known: int = 0
    reference_equal: int = 0
    fallbacks: int = 0
    failures: int = 0
    sent: int = 0
    payload_bytes: int = 0
    prefixes: int = 0
    wire_retransmissions: int = 0
    radio_retransmissions: int = 0
    stack_peak_bytes: int = 0

    def plus(self, record: SampleRecord) -> Tally:
        """The tally with `record` counted in."""
        return Tally(
            samples=self.samples + 1,
            correct=self.correct + record.correct,
            float_known=self.float_known + (record.float_prediction is not None),
            float_correct=self.float_correct + (record.float_prediction == record.label),
            reference_known=self.reference_known + (record.agrees is not None),
            reference_equal=self.reference_equal + (record.agrees is True),
            fallbacks=self.fallbacks + (record.outcome == "fallback"),
            failures=self.failures + (record.outcome == "failed"),
            sent=self.sent + (record.payload_bytes > 0),
            payload_bytes=self.payload_bytes + record.payload_bytes,
            prefixes=self.prefixes + (record.prefix_channels > 0),
            wire_retransmissions=self.wire_retransmissions + record.wire_retransmissions,
            radio_retransmissions=self.radio_retransmissions + record.radio_retransmissions,
            stack_peak_bytes=max(self.stack_peak_bytes, record.stack_peak_bytes),
        )


@dataclass(frozen=True)
class Dashboard:
    """Everything a view may show. Times are seconds on the reporter's own monotonic clock."""

    stages: tuple[Stage, ...] = ()
    run: RunStarted | None = None
    run_began_s: float = 0.0
    tally: Tally = Tally()
    recent: tuple[SampleRecord, ...] = ()
    warnings: tuple[Warned, ...] = ()
    faults: tuple[tuple[str, int], ...] = ()
    """How often each kind was injected, in the order of their first time."""
    finished: RunFinished | None = None


def update(state: Dashboard, event: Event, now_s: float) -> Dashboard:
    """`state` after `event`, which came at `now_s`."""
    match event:
        case StageStarted(stage, detail):
            return replace(state, stages=_put(state.stages, Stage(stage, detail, began_s=now_s)))
        case StageProgress(stage, done, total, detail):
            old = _find(state.stages, stage) or Stage(stage, began_s=now_s)
            new = replace(old, done=done, total=total, detail=detail or old.detail)
            return replace(state, stages=_put(state.stages, new))
        case StageFinished(stage, seconds, cached, detail):
            old = _find(state.stages, stage) or Stage(stage, began_s=now_s - seconds)
            new = replace(old, seconds=seconds, cached=cached, detail=detail or old.detail)
            return replace(state, stages=_put(state.stages, new))
        case RunStarted():
            return replace(state, run=event, run_began_s=now_s)
        case SampleFinished(record):
            recent = (*state.recent[-RECENT_MAX + 1 :], record)
            return replace(state, tally=state.tally.plus(record), recent=recent)
        case ServerLost(reason):
            lost = Warned("server-lost", f"the server half is gone: {reason}", "the run goes on without it")
            return _warn(state, lost)
        case FaultInjected(kind):
            counts = dict(state.faults)
            return replace(state, faults=tuple((counts | {kind: counts.get(kind, 0) + 1}).items()))
        case Warned():
            return _warn(state, event)
        case RunFinished():
            return replace(state, finished=event)


def _find(stages: tuple[Stage, ...], name: str) -> Stage | None:
    return next((stage for stage in stages if stage.name == name), None)


def _put(stages: tuple[Stage, ...], new: Stage) -> tuple[Stage, ...]:
    if _find(stages, new.name) is None:
        return (*stages, new)
    return tuple(new if stage.name == new.name else stage for stage in stages)


def _warn(state: Dashboard, warning: Warned) -> Dashboard:
    return replace(state, warnings=(*state.warnings, warning)[-WARNINGS_MAX:])
