"""Measures for the tests of clusters: cheap, and with what may go wrong on a worker."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from hil.errors import DataError
from hil.experiments.measure import Cell, Context, Found, Measure, Settings
from hil.experiments.outcome import Job

CONTEXT = Context()


def work(settings: Settings, context: Context) -> Found:
    """Sleeps `seconds`, and tells who did; raises what `raises` says; notes its place in the file `notes`."""
    if settings.get("raises"):
        raise DataError(settings["raises"], "look there")
    if settings.get("notes"):
        Path(settings["notes"], str(settings["place"])).touch()
    time.sleep(settings.get("seconds", 0.0))
    return Found({"place": settings["place"], "pid": os.getpid()}, {"place": "modelled"})


def read(settings: Settings, context: Context) -> Mapping[str, str]:
    """The content of the file `reads`, as a bundle's digest would be."""
    path = Path(settings["reads"]) if settings.get("reads") else None
    return {} if path is None else {"file": path.read_text()}


WORK = Measure("work", work, ("link",), read)


def jobs(count: int, **settings: object) -> list[Job]:
    cells = [Cell(WORK, {"place": place, **settings}) for place in range(count)]
    return [Job(cell.key(CONTEXT), cell, CONTEXT) for cell in cells]
