"""Which reporters a run has: it depends on the terminal and on what the user asked for."""

from __future__ import annotations

import contextlib
import sys
from types import TracebackType
from typing import Self

from rich.console import Console

from hil.report.json_report import JsonReporter
from hil.report.plain import PlainReporter
from hil.session.events import Event, Reporter


def choose(as_json: bool, plain: bool) -> Fan:
    """JSON with plain lines on stderr; else the dashboard where the terminal can be painted on."""
    if as_json:
        return Fan(JsonReporter(sys.stdout), PlainReporter(Console(stderr=True), table=False))
    console = Console()
    if plain or not console.is_terminal or console.is_dumb_terminal:
        return Fan(PlainReporter(console))
    from hil.report.live import LiveReporter

    return Fan(LiveReporter(console))


class Fan:
    """Several reporters as one; closes them once, when its context ends, however it ends.

    A reporter that raises is dropped: a broken view must not cost a measurement, nor the other views.
    """

    def __init__(self, *reporters: Reporter) -> None:
        self._reporters = list(reporters)
        self._broken: list[str] = []

    def handle(self, event: Event) -> None:
        for reporter in list(self._reporters):
            try:
                reporter.handle(event)
            except Exception as error:
                self._reporters.remove(reporter)
                self._broken.append(f"{type(reporter).__name__} was dropped: {error!r}")
                with contextlib.suppress(Exception):
                    reporter.close()

    def close(self) -> None:
        reporters, self._reporters = self._reporters, []
        for reporter in reporters:
            reporter.close()
        for line in self._broken:
            print(f"warning: {line}", file=sys.stderr)
        self._broken.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
