"""The event stream: to the run folder first, then to every reporter that still works."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.session.events import Event, Reporter, ServerLost, Warned


@dataclass(frozen=True)
class Issue:
    """An entry of the summary's `issues`."""

    code: str
    message: str
    hint: str = ""


class Bus:
    """Delivers events in order and collects the issues among them.

    A reporter that raises is dropped with a warning. What `keep` raises ends the run.
    """

    def __init__(self, reporters: Sequence[Reporter], keep: Callable[[Event], None]) -> None:
        self._reporters = list(reporters)
        self._keep = keep
        self.issues: list[Issue] = []

    def emit(self, event: Event) -> None:
        if isinstance(event, Warned):
            self.issues.append(Issue(event.code, event.message, event.hint))
        elif isinstance(event, ServerLost):
            self.issues.append(Issue("server-lost", event.reason, "samples without a reply fell back"))
        try:
            self._keep(event)
        finally:
            self._deliver(event)

    def _deliver(self, event: Event) -> None:
        for reporter in list(self._reporters):
            try:
                reporter.handle(event)
            except Exception as error:  # a broken view must not cost the measurement
                self._drop(reporter, error)

    def warn_once(self, code: str, message: str, hint: str = "") -> None:
        """A warning that is worth saying only the first time."""
        if all(issue.code != code for issue in self.issues):
            self.emit(Warned(code, message, hint))

    def close(self) -> None:
        """Closes all reporters; called once, at the end."""
        for reporter in self._reporters:
            with contextlib.suppress(Exception):
                reporter.close()
        self._reporters.clear()

    def _drop(self, reporter: Reporter, error: Exception) -> None:
        self._reporters.remove(reporter)
        with contextlib.suppress(Exception):
            reporter.close()
        name = type(reporter).__name__
        self.emit(Warned("reporter-failed", f"{name} failed and was dropped: {error!r}", "the run goes on"))
