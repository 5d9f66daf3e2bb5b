"""The summary as JSON, and nothing else, for a program that reads standard output."""

from __future__ import annotations

import json
from typing import Any, TextIO

from hil.session.events import Event, RunFinished


def as_json(value: dict[str, Any]) -> str:
    """Strict JSON: a NaN is a defect to be found here, not in the reader's parser."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)


class JsonReporter:
    """Writes the summary of a whole run to `stream`, once.

    Of a partial run nothing: the error that ended it is what the command line writes instead.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._summary: dict[str, Any] | None = None

    def handle(self, event: Event) -> None:
        if isinstance(event, RunFinished) and not event.partial:
            self._summary = event.summary

    def close(self) -> None:
        if self._summary is not None:
            self._stream.write(as_json(self._summary) + "\n")
            self._stream.flush()
            self._summary = None
