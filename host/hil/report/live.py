"""The dashboard on a terminal. It takes the whole screen, so that resizing leaves nothing behind."""

from __future__ import annotations

import time
from threading import Lock
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from hil.report.state import Dashboard, update
from hil.report.table import print_summary
from hil.report.view import render
from hil.session.events import Event

FRAMES_PER_S: Final = 5
"""The emulator wants the processor more than the eye wants frames."""


class LiveReporter:
    """Shows the state while it changes, and the summary's table when all is over."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._state = Dashboard()
        self._lock = Lock()
        self._live = Live(
            get_renderable=self._picture,
            console=console,
            screen=True,
            refresh_per_second=FRAMES_PER_S,
            redirect_stdout=True,
            redirect_stderr=True,
        )
        self._live.start()

    def handle(self, event: Event) -> None:
        with self._lock:
            self._state = update(self._state, event, time.monotonic())

    def close(self) -> None:
        """Gives the screen back. Idempotent: an error path may close before the session does."""
        if not self._live.is_started:
            return
        self._live.stop()
        state = self._state
        if state.finished is not None:
            folder = state.run.folder if state.run else None
            print_summary(self._console, state.finished.summary, folder)

    def _picture(self) -> RenderableType:
        width, height = self._console.size
        try:
            return render(self._state, width, height, time.monotonic())
        except Exception as error:
            # A picture that cannot be drawn must not end a run.
            return Text(f"the dashboard cannot be drawn: {error!r}")
