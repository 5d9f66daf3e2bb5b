"""A run in a process of its own, for faults that end the process: what is left of it is its folder."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hil.errors import HilError
from hil.report.kept import kept_events
from hil.report.stored import read_summary, runs_in
from hil.session.events import FaultInjected, SampleFinished, SampleRecord

if TYPE_CHECKING:
    from hil.pipeline import Request
    from hil.server.answer import Server
    from hil.session.events import Event
    from hil.session.options import RunOptions


START_S: Final = 60.0
"""Until such a process has loaded its libraries and built its firmware."""


@dataclass(frozen=True)
class Left:
    """What a run folder tells of a run that may have been killed."""

    folder: Path | None
    faults: tuple[FaultInjected, ...] = ()
    records: tuple[SampleRecord, ...] = ()
    summary: dict[str, Any] | None = None
    error: str = ""
    hung: bool = False


def run_in_child(request: Request, options: RunOptions, limit_s: float) -> Left:
    """Runs until the child ends, or `limit_s` of wall-clock time are over: then it is ended, and has hung."""
    before = set(runs_in(options.out))
    # Not forked: threads of the libraries that are loaded here do not survive that.
    child = multiprocessing.get_context("spawn").Process(target=_run, args=(request, options))
    child.start()
    child.join(limit_s)
    hung = child.is_alive()
    if hung:
        child.kill()
        child.join()
    made = sorted(set(runs_in(options.out)) - before)
    if not made:
        return Left(None, error=_end(child.exitcode), hung=hung)
    events = [event for _, event in kept_events(made[-1]).events]
    return Left(
        made[-1],
        tuple(event for event in events if isinstance(event, FaultInjected)),
        tuple(event.record for event in events if isinstance(event, SampleFinished)),
        dict(read_summary(made[-1], allow_partial=True)),
        _end(child.exitcode),
        hung,
    )


def _end(code: int | None) -> str:
    """Empty where the process ended by itself and well."""
    if not code:
        return ""
    return (
        f"the process was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with code {code}"
    )


class _Silent:
    def handle(self, event: Event) -> None:
        return

    def close(self) -> None:
        return


def _run(request: Request, options: RunOptions) -> None:
    from hil.bundle import read_manifest
    from hil.pipeline import resolve, run_pipeline
    from hil.server.inline import InlineServer

    def serve(bundle: Path) -> AbstractContextManager[Server | None]:
        return nullcontext(None if read_manifest(bundle).payload is None else InlineServer(bundle))

    try:
        run_pipeline(resolve(request), options, _Silent(), serve=serve)
    except HilError as error:
        raise SystemExit(error.exit_code) from None
