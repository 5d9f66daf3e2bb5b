"""One line at a time, for a log or a terminal that cannot be painted on."""

from __future__ import annotations

import time
from typing import Final

from rich.console import Console

from hil.report import format as fmt
from hil.report import statistics as stats
from hil.report.state import Dashboard, update
from hil.report.table import print_summary
from hil.session.events import (
    Event,
    FaultInjected,
    RunFinished,
    RunStarted,
    SampleFinished,
    ServerLost,
    StageFinished,
    StageProgress,
    StageStarted,
    Warned,
)

EVERY_SAMPLES: Final = 10
EVERY_S: Final = 5.0
"""A long stage reports so often: a log that stands still looks like a hang."""


def line_for(state: Dashboard, event: Event) -> str | None:
    """What to say about `event`, which led to `state`; None when it deserves no line."""
    match event:
        case StageStarted(stage, detail):
            return f"{stage}: {detail}" if detail else f"{stage} ..."
        case StageProgress(stage, done, total, detail):
            return f"{stage}: {f'{done}/{total} ' if total else ''}{detail}".rstrip()
        case StageFinished(stage, seconds, cached, detail):
            how = "from the cache" if cached else f"in {fmt.duration(seconds)}"
            return f"{stage}: done {how}{f', {detail}' if detail else ''}"
        case RunStarted():
            where = f"{event.scheme} on {event.dataset}, board {event.board}, radio {event.radio}"
            return f"run {event.name}: {where}, {event.samples} samples"
        case SampleFinished():
            return _sample_line(state)
        case ServerLost() | Warned():
            latest = state.warnings[-1]
            return f"warning: {latest.message}{f' ({latest.hint})' if latest.hint else ''}"
        case FaultInjected(kind, sample, detail):
            return f"injected: {kind} at sample {sample}, {detail}"
        case RunFinished():
            return None


def _sample_line(state: Dashboard) -> str | None:
    tally, run = state.tally, state.run
    total = run.samples if run else 0
    if tally.samples % EVERY_SAMPLES and tally.samples != total:
        return None
    latency = stats.latency_spreads(state).get("total")
    accuracy = fmt.percent(stats.ratio(tally.correct, tally.samples))
    troubles = f", fallbacks {tally.fallbacks}" if tally.fallbacks else ""
    troubles += f", prefixes {tally.prefixes}" if tally.prefixes else ""
    failures = f", failures {tally.failures}" if tally.failures else ""
    mean_ms = fmt.figure(latency.mean if latency else None)
    return f"samples: {tally.samples}/{total}, accuracy {accuracy}, latency {mean_ms} ms{troubles}{failures}"


class PlainReporter:
    """Prints lines as events come, and the summary's table at the end unless told otherwise."""

    def __init__(self, console: Console, table: bool = True) -> None:
        self._console = console
        self._table = table
        self._state = Dashboard()
        self._progress_s: dict[str, float] = {}
        self._closed = False

    def handle(self, event: Event) -> None:
        now_s = time.monotonic()
        self._state = update(self._state, event, now_s)
        if isinstance(event, StageProgress) and not self._is_due(event, now_s):
            return
        text = line_for(self._state, event)
        if text is not None:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        finished = self._state.finished
        if self._table and finished is not None and not self._closed:
            folder = self._state.run.folder if self._state.run else None
            print_summary(self._console, finished.summary, folder)
        self._closed = True

    def _is_due(self, event: StageProgress, now_s: float) -> bool:
        last_s = self._progress_s.setdefault(event.stage, now_s)
        if now_s - last_s < EVERY_S:
            return False
        self._progress_s[event.stage] = now_s
        return True
