"""Batches of instances as an experiment's cells: kept, resumed and spread over processes as those are."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

from hil import paths
from hil.experiments.measure import Cell, Context, Found, Measure, Settings, code_hash
from hil.neighbourhood import find
from hil.neighbourhood.minimise import minimise
from hil.neighbourhood.parameter import Parameters
from hil.neighbourhood.sample import instance
from hil.neighbourhood.template import Context as Asking
from hil.neighbourhood.template import Template, Where

ROOMS: Final = ("neighbourhood",)


def ask(settings: Settings, context: Context) -> Found:
    """Instances `first` to `first + count − 1`; `detail` has those that failed, by number."""
    template = find.get(settings["template"])
    numbers = range(settings["first"], settings["first"] + settings["count"])
    instances = [instance(template, settings["seed"], number) for number in numbers]
    verdicts = template.judge(instances, Asking(settings["board"]))
    failed = {
        str(number): {"parameters": one, "detail": verdict.detail}
        for number, one, verdict in zip(numbers, instances, verdicts, strict=True)
        if not verdict.passed
    }
    return Found({"asked": len(verdicts), "failed": len(failed)}, detail={"failed": failed})


def shrink(settings: Settings, context: Context) -> Found:
    """The minimum below `parameters`, which failed."""
    template = find.get(settings["template"])
    found = minimise(template, settings["parameters"], Asking(settings["board"]))
    return Found(
        {"asked": found.asked, "repeatable": found.repeatable},
        detail={
            "parameters": dict(found.parameters),
            "essential": dict(found.essential),
            "detail": found.detail,
        },
    )


def inputs(settings: Settings, context: Context) -> dict[str, str]:
    """Digests of the template's module, of its sources, and of the code that it asks."""
    return {"template": digest(find.get(settings["template"]))}


@cache
def digest(template: Template) -> str:
    """Over everything that decides a template's verdicts; read once a process."""
    module = sys.modules[template.ask.__module__].__file__
    assert module is not None
    found = hashlib.sha256(code_hash(template.rooms).encode())
    for file in (Path(module), *(paths.REPOSITORY / source for source in template.sources)):
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


ASK = Measure("neighbourhood", ask, ROOMS, inputs)
SHRINK = Measure("neighbourhood-minimum", shrink, ROOMS, inputs)


def cells_of(template: Template, instances: int, seed: int, board: str) -> list[Cell]:
    """The first `instances` in batches; a longer run has the batches of a shorter one."""
    return [
        Cell(
            ASK,
            _settings(template, board, seed=seed, first=first, count=min(template.batch, instances - first)),
        )
        for first in range(0, instances, template.batch)
    ]


def minimum_cell(template: Template, failing: Parameters, board: str) -> Cell:
    """The search below one failing instance."""
    return Cell(SHRINK, _settings(template, board, parameters=dict(failing)))


def _settings(template: Template, board: str, **more: Any) -> dict[str, Any]:
    """What needs no board is asked once, whatever the board."""
    return {"template": template.name, "board": board if template.where is Where.BOARD else "twin", **more}
